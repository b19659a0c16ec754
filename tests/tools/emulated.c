/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * emulated.c: libxl_viommu_emulated.c, with answers of a device model: nothing
 * that is emulated gets a slot that the DMAR names.
 */
#include "libxl_osdeps.h"

#include "libxl_internal.h"
#include "libxl_viommu_guest.h"
#include "test.h"

static char logged[8192];

static void log_message(struct xentoollog_logger *logger,
                        xentoollog_level level, int errnoval,
                        const char *context, const char *format, va_list al)
{
    size_t n = strlen(logged);

    if (level >= XTL_ERROR)
        vsnprintf(logged + n, sizeof(logged) - n, format, al);
}

static xentoollog_logger logger = { .vmessage = log_message };
static libxl_ctx the_ctx;
static libxl__gc the_gc;
static libxl__gc *gc = &the_gc;
static libxl_domain_build_info info;

#define SAYS(text) CHECK(strstr(logged, text), "logged: \"%s\"", logged)
#define SILENT() CHECK(!logged[0], "logged: \"%s\"", logged)

/* As QEMU 10 says it, but for what nobody looks at. */
#define DEVICE(slot, function, desc)                                        \
    "{\"bus\": 0, \"qdev_id\": \"\", \"slot\": " #slot ", \"function\": "   \
    #function ", \"class_info\": {\"class\": 512, \"desc\": \"" desc "\"}," \
    " \"id\": {\"device\": 4110, \"vendor\": 32902}, \"regions\": []}"
#define BUS(number, devices) \
    "{\"bus\": " #number ", \"devices\": [" devices "]}"

#define USUAL DEVICE(0, 0, "Host bridge") "," DEVICE(1, 0, "ISA bridge") "," \
              DEVICE(1, 1, "IDE controller") "," DEVICE(1, 3, "Bridge") ","  \
              DEVICE(2, 0, "VGA controller")
#define EHCI DEVICE(29, 0, "USB controller") "," DEVICE(29, 1, "USB") ","    \
             DEVICE(29, 2, "USB") "," DEVICE(29, 7, "USB controller")

static const libxl__json_object *answer(const char *text)
{
    return libxl__json_parse(gc, text);
}

static int check(const char *text)
{
    return libxl__viommu_check_slots(gc, 5, &info, answer(text));
}

static int room(const char *text)
{
    return libxl__viommu_check_room(gc, 5, answer(text));
}

static void reset(void)
{
    logged[0] = '\0';
    libxl_domain_build_info_init(&info);
    libxl_domain_build_info_init_type(&info, LIBXL_DOMAIN_TYPE_HVM);
}

static void usual_devices_are_fine(void)
{
    CHECK(!check("[" BUS(0, USUAL) "]"), "%s", logged);
    CHECK(!check("[" BUS(0, USUAL "," DEVICE(15, 0, "Ethernet")) "]"), "%s",
          logged);
    SILENT();
}

static void device_in_a_slot_behind_the_unit_is_refused(void)
{
    CHECK(check("[" BUS(0, USUAL "," DEVICE(16, 0, "Ethernet controller")) "]")
          == ERROR_INVAL, " ");
    SAYS("emulates a device (Ethernet controller) in slot 0x10: slots 0x10 to "
         "0x1f are behind");
    reset();
    CHECK(check("[" BUS(0, DEVICE(31, 7, "x") "," DEVICE(18, 3, "Audio")) "]")
          == ERROR_INVAL, " ");
    SAYS("(Audio) in slot 0x12");
    reset();
    CHECK(check("[" BUS(0, "{\"slot\": 20, \"function\": 0}") "]") ==
          ERROR_INVAL, " ");
    SAYS("a device in slot 0x14");
}

static void other_buses_are_not_behind_the_unit(void)
{
    CHECK(!check("[" BUS(0, USUAL) "," BUS(1, DEVICE(16, 0, "x")) "]"), "%s",
          logged);
    CHECK(check("[" BUS(1, USUAL) "," BUS(0, DEVICE(16, 0, "x")) "]") ==
          ERROR_INVAL, " ");
}

static void usb_2_has_a_slot_that_is_left_out(void)
{
    CHECK(check("[" BUS(0, USUAL "," EHCI) "]") == ERROR_INVAL, " ");
    SAYS("(USB controller) in slot 0x1d");
    reset();
    info.u.hvm.usbversion = 2;
    CHECK(!check("[" BUS(0, USUAL "," EHCI) "]"), "%s", logged);
    SILENT();
    CHECK(check("[" BUS(0, EHCI "," DEVICE(30, 0, "x")) "]") == ERROR_INVAL,
          " ");
    SAYS("slot 0x1e");
    CHECK(libxl__viommu_emulated_slots(&info) == 1U << 0x1d, "%#x",
          libxl__viommu_emulated_slots(&info));
    for (info.u.hvm.usbversion = 0; info.u.hvm.usbversion < 4;
         info.u.hvm.usbversion++)
        CHECK(info.u.hvm.usbversion == 2 ||
              !libxl__viommu_emulated_slots(&info), "%d",
              info.u.hvm.usbversion);
}

static void answer_that_says_nothing_is_refused(void)
{
    static const char *const answers[] = {
        "[]", "{}", "[1]", "[{}]", "[{\"devices\": []}]", "[{\"bus\": 0}]",
        "[{\"bus\": 0, \"devices\": 1}]", "[{\"bus\": 0, \"devices\": [1]}]",
        "[{\"bus\": 0, \"devices\": [{}]}]",
        "[{\"bus\": 0, \"devices\": [{\"slot\": 32}]}]",
        "[{\"bus\": 0, \"devices\": [{\"slot\": -1}]}]",
        "[{\"bus\": 0, \"devices\": [{\"slot\": \"2\"}]}]",
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(answers); i++) {
        reset();
        CHECK(check(answers[i]) == ERROR_QEMU_API, "%s", answers[i]);
        SAYS("unexpected answer");
        CHECK(room(answers[i]) == ERROR_QEMU_API, "%s", answers[i]);
    }
}

/* The device model takes the first free slot for a device without one. */
static void another_emulated_device_needs_a_free_slot(void)
{
#define S(n) DEVICE(n, 0, "x") ","
#define MOST S(2) S(3) S(4) S(5) S(6) S(7) S(8) S(9) S(10) S(11) S(12) S(13)
    CHECK(!room("[" BUS(0, USUAL "," EHCI) "]"), "%s", logged);
    CHECK(!room("[" BUS(0, MOST S(15) S(16) USUAL) "]"), "%s", logged);
    CHECK(!room("[" BUS(0, MOST S(14) USUAL) "]"), "%s", logged);
    SILENT();
    CHECK(room("[" BUS(0, MOST S(14) S(15) USUAL) "]") == ERROR_INVAL, " ");
    SAYS("no slot below 0x10 is free");
}

#define PROPERTY(name) "{\"name\": \"" name "\", \"type\": \"bool\"}"

static int model(const char *text, int rc)
{
    return libxl__viommu_check_model(gc, 5, text ? answer(text) : NULL, rc);
}

static void device_model_that_hands_messages_on_is_fine(void)
{
    CHECK(!model("[" PROPERTY("addr") "," PROPERTY("intremap") "]", 0), "%s",
          logged);
    SILENT();
}

static void device_model_without_the_property_is_refused(void)
{
    static const char *const answers[] = {
        "[]", "{}", "[1]", "[{}]", "[{\"name\": 1}]",
        "[" PROPERTY("addr") "," PROPERTY("intremapping") "]",
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(answers); i++) {
        reset();
        CHECK(model(answers[i], 0) == ERROR_INVAL, "%s", answers[i]);
        SAYS("has no property intremap");
    }
    reset();
    CHECK(model(NULL, ERROR_QMP_DEVICE_NOT_FOUND) == ERROR_INVAL, " ");
    SAYS("has no property intremap");
}

/* Who waited in vain may try again: no device model lacks it by that. */
static void device_model_that_does_not_answer_is_no_refusal(void)
{
    CHECK(model(NULL, ERROR_TIMEDOUT) == ERROR_TIMEDOUT, " ");
    SAYS("does not say whether it can do what intremap=1 needs: it timed out");
    CHECK(!strstr(logged, "property"), "logged: \"%s\"", logged);
    reset();
    CHECK(model(NULL, ERROR_PROTOCOL_ERROR_QMP) == ERROR_PROTOCOL_ERROR_QMP,
          " ");
    SAYS("does not say whether");
    CHECK(!strstr(logged, "timed out"), "logged: \"%s\"", logged);
}

#undef RUN
#define RUN(test) do {                                          \
        reset();                                                \
        test_bad = 0;                                           \
        test();                                                 \
        printf("%s %s\n", test_bad ? "FAIL" : "ok", #test);     \
        test_any_bad |= test_bad;                               \
        libxl__free_all(gc);                                    \
    } while (0)

int main(void)
{
    the_ctx.lg = &logger;
    the_ctx.nogc_gc.alloc_maxsize = -1;
    the_ctx.nogc_gc.owner = &the_ctx;
    LIBXL_INIT_GC(the_gc, &the_ctx);

    RUN(usual_devices_are_fine);
    RUN(device_in_a_slot_behind_the_unit_is_refused);
    RUN(other_buses_are_not_behind_the_unit);
    RUN(usb_2_has_a_slot_that_is_left_out);
    RUN(answer_that_says_nothing_is_refused);
    RUN(another_emulated_device_needs_a_free_slot);
    RUN(device_model_that_hands_messages_on_is_fine);
    RUN(device_model_without_the_property_is_refused);
    RUN(device_model_that_does_not_answer_is_no_refusal);

    return TEST_RESULT;
}
