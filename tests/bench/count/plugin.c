// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin of QEMU that counts the instructions which each processor executes,
 * those of Xen by function.
 *
 *   -plugin plugin.so,functions=FILE,out=FILE
 *
 * functions=  lines "START KIND NAME ..." in the order of their hexadecimal
 *             start; what is outside of them is not Xen. KIND is
 *               -  nothing special
 *               c  its calls are counted
 *               w  work: what is executed from its entry to its return is
 *                  counted once more, apart
 *               f  flush: likewise, and taken out of the work around it
 * out=        at each mark, what was counted since the start:
 *               mark ID
 *               PROCESSOR NAME CALLS ALL WORK FLUSH     (what is not 0)
 *             NAME is "other" for what is not Xen.
 *
 * A mark is "xchg %bx, %bx" of a user's program, with the ID in RAX.
 *
 * Counted is by translated block, in line: cheap, and all processors at once. A
 * block that is left early counts whole, each round of a "rep" counts. A call
 * that matters ends where its return address is executed, which was on the
 * stack at its entry. So a function that is inlined into its callers cannot be
 * of kind c, w or f: it has no entry.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>

/* ---- Of QEMU's and glib's interfaces, what is used here. ---- */

typedef uint64_t qemu_plugin_id_t;
typedef struct { void *score; size_t offset; } qemu_plugin_u64;
typedef struct { char *data; unsigned int len; } GArray;
typedef struct { uint8_t *data; unsigned int len; } GByteArray;
typedef struct { void *handle; const char *name, *feature; } reg_descriptor;

enum { NO_REGS, READS_REGS };
enum { INLINE_ADD_U64 };
enum { COND_NE = 3 };

void *qemu_plugin_scoreboard_new(size_t element_size);
void *qemu_plugin_scoreboard_find(void *score, unsigned int vcpu);
void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t id,
    void (*cb)(qemu_plugin_id_t id, unsigned int vcpu));
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
    void (*cb)(qemu_plugin_id_t id, void *tb));
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(void *tb, int op,
    qemu_plugin_u64 entry, uint64_t imm);
void qemu_plugin_register_vcpu_tb_exec_cb(void *tb,
    void (*cb)(unsigned int vcpu, void *data), int flags, void *data);
void qemu_plugin_register_vcpu_tb_exec_cond_cb(void *tb,
    void (*cb)(unsigned int vcpu, void *data), int flags, int cond,
    qemu_plugin_u64 entry, uint64_t imm, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(void *insn,
    void (*cb)(unsigned int vcpu, void *data), int flags, void *data);
uint64_t qemu_plugin_tb_vaddr(const void *tb);
size_t qemu_plugin_tb_n_insns(const void *tb);
void *qemu_plugin_tb_get_insn(const void *tb, size_t idx);
size_t qemu_plugin_insn_size(const void *insn);
size_t qemu_plugin_insn_data(const void *insn, void *dest, size_t len);
GArray *qemu_plugin_get_registers(void);
int qemu_plugin_read_register(void *handle, GByteArray *buf);
bool qemu_plugin_read_memory_vaddr(uint64_t addr, GByteArray *data, size_t len);
GByteArray *g_byte_array_new(void);
GByteArray *g_byte_array_set_size(GByteArray *array, unsigned int length);

/* The version of this interface: QEMU refuses a plugin that is too old. */
__attribute__((visibility("default"))) int qemu_plugin_version = 4;

/* ---- What is counted. ---- */

#define MAX_VCPUS  8
#define MAX_FRAMES 8

struct function {
    uint64_t start;
    char kind;
    char name[100];
};
static struct function *functions;
static unsigned int nr_functions;

/* What the translated code adds to, for each processor. */
struct counts {
    uint64_t frames;            /* calls of kind w or f that are under way */
    uint64_t other;
    struct { uint64_t insns, calls; } in[];
};
static void *scoreboard;

struct frame {
    uint64_t rsp, back;
    char kind;
};
static struct vcpu {
    void *rax, *rsp;
    GByteArray *buf;
    struct frame frame[MAX_FRAMES];
    struct { uint64_t work, flush; } *in;
} vcpus[MAX_VCPUS];

static FILE *out;
static pthread_mutex_t out_lock = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *what, const char *of)
{
    fprintf(stderr, "count: %s: %s\n", of, what);
    exit(1);
}

static qemu_plugin_u64 entry(size_t offset)
{
    return (qemu_plugin_u64){ scoreboard, offset };
}
#define FIELD(f) entry(__builtin_offsetof(struct counts, f))
#define IN(i, f) entry(sizeof(struct counts) + (i) * 16 + (f) * 8)

static uint64_t reg(struct vcpu *v, void *handle)
{
    uint64_t value;

    g_byte_array_set_size(v->buf, 0);
    if ( qemu_plugin_read_register(handle, v->buf) != sizeof(value) )
        die("a register cannot be read", "plugin");
    memcpy(&value, v->buf->data, sizeof(value));

    return value;
}

/* ---- While it runs. ---- */

static void on_entry(unsigned int vcpu, void *data)
{
    struct counts *c = qemu_plugin_scoreboard_find(scoreboard, vcpu);
    struct vcpu *v = &vcpus[vcpu];
    struct frame *f = v->frame;
    uint64_t rsp = reg(v, v->rsp);

    /* One that was left by another way than its return. */
    while ( c->frames && f[c->frames - 1].rsp <= rsp )
        c->frames--;

    g_byte_array_set_size(v->buf, 0);
    if ( c->frames == MAX_FRAMES ||
         !qemu_plugin_read_memory_vaddr(rsp, v->buf, sizeof(f->back)) )
        die("no return address", ((struct function *)data)->name);

    f += c->frames++;
    f->rsp = rsp;
    f->kind = ((struct function *)data)->kind;
    memcpy(&f->back, v->buf->data, sizeof(f->back));
}

struct block {
    uint64_t start;
    unsigned int function, insns;
};

static void in_frame(unsigned int vcpu, void *data)
{
    struct counts *c = qemu_plugin_scoreboard_find(scoreboard, vcpu);
    const struct block *b = data;
    struct vcpu *v = &vcpus[vcpu];

    while ( c->frames && v->frame[c->frames - 1].back == b->start )
        c->frames--;
    if ( !c->frames )
        return;
    if ( v->frame[c->frames - 1].kind == 'f' )
        v->in[b->function].flush += b->insns;
    else
        v->in[b->function].work += b->insns;
}

static void on_mark(unsigned int vcpu, void *data)
{
    pthread_mutex_lock(&out_lock);
    fprintf(out, "mark %lu\n", reg(&vcpus[vcpu], vcpus[vcpu].rax));
    for ( unsigned int n = 0; n < MAX_VCPUS && vcpus[n].in; n++ )
    {
        const struct counts *c = qemu_plugin_scoreboard_find(scoreboard, n);

        fprintf(out, "%u other 0 %lu 0 0\n", n, c->other);
        for ( unsigned int i = 0; i < nr_functions; i++ )
            if ( c->in[i].insns )
                fprintf(out, "%u %s %lu %lu %lu %lu\n", n, functions[i].name,
                        c->in[i].calls, c->in[i].insns, vcpus[n].in[i].work,
                        vcpus[n].in[i].flush);
    }
    fflush(out);
    pthread_mutex_unlock(&out_lock);
}

/* ---- Translation. ---- */

/* Index of the function that has the address; -1: it is not Xen's. */
static int find(uint64_t addr)
{
    unsigned int lo = 0, hi = nr_functions;

    while ( lo < hi )
    {
        unsigned int mid = (lo + hi) / 2;

        if ( functions[mid].start <= addr )
            lo = mid + 1;
        else
            hi = mid;
    }
    /* The last one is the end. */
    return lo && lo < nr_functions ? (int)lo - 1 : -1;
}

static void look_for_marks(void *tb, size_t n)
{
    static const uint8_t mark[] = { 0x66, 0x87, 0xdb };
    uint8_t bytes[sizeof(mark)];

    for ( size_t i = 0; i < n; i++ )
    {
        void *insn = qemu_plugin_tb_get_insn(tb, i);

        if ( qemu_plugin_insn_size(insn) == sizeof(mark) &&
             qemu_plugin_insn_data(insn, bytes, sizeof(bytes)) ==
             sizeof(mark) && !memcmp(bytes, mark, sizeof(mark)) )
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, READS_REGS,
                                                   NULL);
    }
}

static void translate(qemu_plugin_id_t id, void *tb)
{
    uint64_t start = qemu_plugin_tb_vaddr(tb);
    size_t n = qemu_plugin_tb_n_insns(tb);
    int i = find(start);
    struct block *b;

    if ( i < 0 )
    {
        qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(
            tb, INLINE_ADD_U64, FIELD(other), n);
        if ( start < 1ul << 47 )
            look_for_marks(tb, n);
        return;
    }

    qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(
        tb, INLINE_ADD_U64, IN(i, 0), n);
    if ( start == functions[i].start && functions[i].kind != '-' )
    {
        qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(
            tb, INLINE_ADD_U64, IN(i, 1), 1);
        if ( functions[i].kind != 'c' )
            qemu_plugin_register_vcpu_tb_exec_cb(tb, on_entry, READS_REGS,
                                                 &functions[i]);
    }

    b = malloc(sizeof(*b));
    if ( !b )
        die("no memory", "plugin");
    *b = (struct block){ start, i, n };
    qemu_plugin_register_vcpu_tb_exec_cond_cb(tb, in_frame, NO_REGS, COND_NE,
                                              FIELD(frames), 0, b);
}

/* ---- Start. ---- */

static void new_vcpu(qemu_plugin_id_t id, unsigned int n)
{
    struct vcpu *v = &vcpus[n];
    GArray *regs = qemu_plugin_get_registers();
    const reg_descriptor *r = (const void *)regs->data;

    if ( n >= MAX_VCPUS )
        die("too many processors", "plugin");
    for ( ; r < (const reg_descriptor *)regs->data + regs->len; r++ )
    {
        if ( !strcmp(r->name, "rax") )
            v->rax = r->handle;
        if ( !strcmp(r->name, "rsp") )
            v->rsp = r->handle;
    }
    v->buf = g_byte_array_new();
    v->in = calloc(nr_functions, sizeof(*v->in));
    if ( !v->rax || !v->rsp || !v->in )
        die("no registers", "plugin");
}

static void read_functions(const char *path)
{
    FILE *f = fopen(path, "r");
    struct function fn;

    if ( !f )
        die("cannot be read", path);
    while ( fscanf(f, "%lx %c %99s%*[^\n]", &fn.start, &fn.kind,
                   fn.name) == 3 )
    {
        if ( nr_functions % 1024 == 0 )
            functions = realloc(functions, (nr_functions + 1024) * sizeof(fn));
        if ( !functions )
            die("no memory", "plugin");
        functions[nr_functions++] = fn;
    }
    if ( !feof(f) || nr_functions < 2 )
        die("not in the form that the head of plugin.c gives", path);
    fclose(f);
}

__attribute__((visibility("default")))
int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
                        char **argv)
{
    const char *list = NULL, *to = NULL;

    for ( int i = 0; i < argc; i++ )
        if ( !strncmp(argv[i], "functions=", 10) )
            list = argv[i] + 10;
        else if ( !strncmp(argv[i], "out=", 4) )
            to = argv[i] + 4;
        else
            die("unknown argument", argv[i]);
    if ( !list || !to )
        die("functions= and out= are missing", "plugin");

    read_functions(list);
    out = fopen(to, "w");
    if ( !out )
        die("cannot be written", to);

    scoreboard = qemu_plugin_scoreboard_new(sizeof(struct counts) +
                                            nr_functions * 16);
    qemu_plugin_register_vcpu_init_cb(id, new_vcpu);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);

    return 0;
}
