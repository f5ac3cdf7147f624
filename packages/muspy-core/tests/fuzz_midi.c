/* Mutates MIDI files and parses them with _midi.c, to be built with -fsanitize=address,undefined.
 *
 * gcc -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all tests/fuzz_midi.c -o fuzz && ./fuzz 200 *.mid
 *
 * Each file is parsed as it is and in the given number of mutants, in all modes, strictly and tolerantly. The input and
 * all tables are heap blocks of exactly their size, so that a step outside is seen.
 */
#define NO_PYTHON
#include "../src/muspy_core/io/_midi.c"
#include <stdio.h>

static uint64_t state = 0x9E3779B97F4A7C15u;

static uint32_t draw(size_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(below ? (state >> 16) % below : 0);
}

static uint32_t big_endian(const uint8_t *d)
{
    return (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3];
}

/* The spans of the chunks behind the header, whatever they are called; returns their number. */
static size_t spans_of(const uint8_t *data, size_t size, uint32_t *pairs, size_t room)
{
    size_t n = 0;
    for (size_t at = 14; n < room && at + 8 <= size; n++) {
        size_t length = big_endian(data + at + 4), left = size - at - 8;
        if (length > left) length = left;
        pairs[2 * n] = (uint32_t)(at + 8);
        pairs[2 * n + 1] = (uint32_t)(at + 8 + length);
        at += 8 + length;
    }
    return n;
}

/* The bytes that the tables come to, or -1 for a fault. */
static long parse_once(const uint8_t *data, size_t size, int mode, int tolerant)
{
    uint32_t pairs[512];
    Parse p = {.data = data, .mode = mode, .tolerant = tolerant};
    size_t n = spans_of(data, size, pairs, 256);
    int fault = take_spans(&p, (const unsigned char *)pairs, n, size);
    if (!fault) fault = count(&p);
    size_tables(&p, fault);
    long total = fault ? -1 : 0;
    for (int i = 0; i < TABLES; i++) {
        size_t bytes = p.rows[i] * row_sizes[i];
        p.table[i] = malloc(bytes ? bytes : 1);
        if (!p.table[i]) exit(2);
        memset(p.table[i], 0xAA, bytes);
        if (!fault) total += (long)bytes;
    }
    if (!fault && fill(&p)) exit(2);
    for (size_t g = 0; !fault && g < p.n_groups; g++)
        if (p.groups[g].channel < 0 || p.groups[g].channel > 15) exit(3);
    for (int i = 0; i < TABLES; i++) free(p.table[i]);
    release(&p);
    return total;
}

static size_t mutate(uint8_t *data, size_t size)
{
    switch (draw(4)) {
    case 0: return draw(size + 1);
    case 1:
        for (uint32_t i = draw(12) + 1; size && i--;) data[draw(size)] = (uint8_t)draw(256);
        return size;
    case 2:
        for (size_t i = 14 + draw(60); i < size; i++) data[i] = (uint8_t)draw(256);
        return size;
    default:
        for (uint32_t i = draw(40) + 1; size > 8 && i--;) memmove(data + draw(size - 4), data + draw(size - 4), 4);
        return size;
    }
}

int main(int argc, char **argv)
{
    long parsed = 0, refused = 0;
    if (argc < 3) return 2;
    for (int i = 2; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) return 2;
        uint8_t *original = malloc(1u << 20);
        size_t size = original ? fread(original, 1, 1u << 20, file) : 0;
        fclose(file);
        for (long m = strtol(argv[1], NULL, 10); m >= 0; m--) {
            uint8_t *copy = malloc(size ? size : 1);
            if (!copy) return 2;
            memcpy(copy, original, size);
            size_t kept = m ? mutate(copy, size) : size;
            uint8_t *exact = malloc(kept ? kept : 1);
            if (!exact) return 2;
            memcpy(exact, copy, kept);
            for (int mode = FIFO; mode <= ALL; mode++)
                for (int tolerant = 0; tolerant < 2; tolerant++)
                    parse_once(exact, kept, mode, tolerant) < 0 ? refused++ : parsed++;
            free(exact);
            free(copy);
        }
        free(original);
    }
    printf("parsed %ld, refused %ld\n", parsed, refused);
    return 0;
}
