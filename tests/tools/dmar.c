/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmar.c: the DMAR table that libxl gives a guest, byte by byte. Writes it to
 * the file named by the argument, for iasl to take apart.
 */
#include "libxl_viommu_guest.h"
#include "test.h"

/* CAP.MGAW (bits 21:16) is the width less one: 48 bits. */
#define CAP_48_BITS (47ULL << 16)

/* Without the scope of an IOAPIC. */
#define PLAIN_SIZE (VIOMMU_DMAR_SIZE - 8)

static uint8_t table[VIOMMU_DMAR_SIZE];
static unsigned int size;

static unsigned int get16(unsigned int at)
{
    return table[at] | table[at + 1] << 8;
}

static unsigned int get32(unsigned int at)
{
    return get16(at) | get16(at + 2) << 16;
}

static void dmar_bytes_sum_to_zero(void)
{
    uint8_t sum = 0;

    for (unsigned int i = 0; i < PLAIN_SIZE; i++)
        sum += table[i];
    CHECK(sum == 0, "%#x", sum);
}

static void dmar_length_is_the_whole_table(void)
{
    CHECK(!memcmp(table, "DMAR", 4), "%.4s", table);
    CHECK(get32(4) == PLAIN_SIZE, "%u", get32(4));
}

static void dmar_width_follows_the_unit(void)
{
    uint8_t other[VIOMMU_DMAR_SIZE];

    CHECK(table[36] == 47, "%u", table[36]);
    viommu_dmar_build(other, 38ULL << 16, 0, false);
    CHECK(other[36] == 38, "%u", other[36]);
    /* All other bits of the register mean something else. */
    viommu_dmar_build(other, ~(0x3fULL << 16), 0, false);
    CHECK(other[36] == 0, "%u", other[36]);
}

static void dmar_has_no_flags(void)
{
    CHECK(table[37] == 0, "%#x: interrupts are not remapped", table[37]);
    CHECK(table[52] == 0, "%#x: INCLUDE_PCI_ALL would cover what the device "
          "model emulates", table[52]);
}

static void dmar_unit_is_at_its_registers(void)
{
    CHECK(get16(48) == 0, "type %u", get16(48));
    CHECK(get16(50) == PLAIN_SIZE - 48, "length %u", get16(50));
    CHECK(get16(54) == 0, "segment %u", get16(54));
    CHECK(get32(56) == 0xfed90000 && get32(60) == 0, "%#x", get32(56));
}

static void dmar_scopes_are_slots_10_to_1f(void)
{
    unsigned int seen[32] = {}, i;

    for (i = 64; i < PLAIN_SIZE; i += table[i + 1]) {
        CHECK(table[i] == 1, "type %u", table[i]);
        CHECK(table[i + 1] == 8, "length %u", table[i + 1]);
        if (table[i + 1] != 8)
            return;
        CHECK(table[i + 5] == 0, "bus %u", table[i + 5]);
        CHECK(table[i + 6] < 32 && table[i + 7] < 8, "%u.%u", table[i + 6],
              table[i + 7]);
        seen[table[i + 6] % 32] |= 1U << table[i + 7];
    }
    CHECK(i == PLAIN_SIZE, "scopes end at %u", i);
    for (i = 0; i < 32; i++)
        CHECK(seen[i] == (i >= 0x10 ? 0xff : 0), "slot %#x: functions %#x", i,
              seen[i]);
}

/* A slot of the device model's: every function of it is left out. */
static void dmar_leaves_a_slot_out(void)
{
    uint8_t whole[VIOMMU_DMAR_SIZE], sum = 0;
    unsigned int left, i;

    CHECK(size == PLAIN_SIZE, "%u", size);
    memcpy(whole, table, PLAIN_SIZE);
    memset(table, 0xaa, PLAIN_SIZE);
    left = viommu_dmar_build(table, CAP_48_BITS, 1U << 0x1d | 1U << 3, false);
    CHECK(left == size - 8 * 8, "%u", left);
    CHECK(get32(4) == left, "%u", get32(4));
    CHECK(get16(50) == left - 48, "length %u", get16(50));
    for (i = 0; i < left; i++)
        sum += table[i];
    CHECK(sum == 0, "%#x", sum);
    for (i = 64; i < left; i += 8)
        CHECK(table[i + 6] >= 0x10 && table[i + 6] != 0x1d &&
              table[i + 7] < 8, "%#x.%u", table[i + 6], table[i + 7]);
    CHECK(!memcmp(table + 64, whole + 64, 13 * 64), "other scopes");
    CHECK(!memcmp(table + 64 + 13 * 64, whole + 64 + 14 * 64, 2 * 64),
          "other scopes");
    for (i = left; i < PLAIN_SIZE; i++)
        CHECK(table[i] == 0xaa, "byte %u is written", i);
    memcpy(table, whole, PLAIN_SIZE);
}

/* The same, with one flag and one scope more. */
static void dmar_has_an_ioapic_if_interrupts_are_remapped(void)
{
    static const uint8_t ioapic[8] = { 3, 8, 0, 0, 1, 0xff, 0, 0 };
    uint8_t other[VIOMMU_DMAR_SIZE], sum = 0;
    unsigned int i, n;

    n = viommu_dmar_build(other, CAP_48_BITS, 0, true);
    CHECK(n == size + 8, "%u", n);
    CHECK(other[37] == 1, "%#x", other[37]);
    CHECK(!memcmp(other + size, ioapic, 8), "type %u, ID %u, bus %u",
          other[size], other[size + 4], other[size + 5]);
    CHECK(!memcmp(other + 56, table + 56, size - 56), "the rest differs");
    CHECK((other[50] | other[51] << 8) == n - 48, "length");
    for (i = 0; i < n; i++)
        sum += other[i];
    CHECK(sum == 0, "%#x", sum);
}

int main(int argc, char **argv)
{
    FILE *f;

    size = viommu_dmar_build(table, CAP_48_BITS, 0, false);

    RUN(dmar_bytes_sum_to_zero);
    RUN(dmar_length_is_the_whole_table);
    RUN(dmar_width_follows_the_unit);
    RUN(dmar_has_no_flags);
    RUN(dmar_unit_is_at_its_registers);
    RUN(dmar_scopes_are_slots_10_to_1f);
    RUN(dmar_leaves_a_slot_out);
    RUN(dmar_has_an_ioapic_if_interrupts_are_remapped);

    f = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (!f || fwrite(table, PLAIN_SIZE, 1, f) != 1 || fclose(f)) {
        perror("DMAR file");
        return 1;
    }

    return TEST_RESULT;
}
