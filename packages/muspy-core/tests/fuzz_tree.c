/* Mutates XML documents and scans them with _tree_scan.h, to be built with -fsanitize=address,undefined.
 *
 * gcc -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all tests/fuzz_tree.c -o fuzz && ./fuzz 200 *.xml
 *
 * Each file is scanned as it is and in the given number of mutants. The input is a heap block of exactly its size, so
 * that a step outside is seen; so is a text of the result that does not lie where it says.
 */
#define NO_PYTHON
#include "../src/muspy_core/io/musicxml/_tree.c"
#include <stdio.h>

static const char *const pieces[] = {"<", ">", "/>", "</", "<!--", "-->", "<?", "?>", "&", "&amp;", "&#x41;", "&#0;", "]]>",
                                     "<a>", "</a>", "<a b='c'/>", "\"", "'", "=", "<!DOCTYPE a>", "<![CDATA[x]]>", "\r\n",
                                     "\xC3\xA9", "\xC3", "\xEF\xBF\xBF", "xml:space='preserve'", "xmlns='u'", " "};

static uint64_t state = 0x9E3779B97F4A7C15u;

static uint32_t draw(size_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(below ? (state >> 16) % below : 0);
}

/* Adds up the bytes of a text, so that each is touched. */
static uint32_t touch(const Scan *s, Text text)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < text.length; i++) sum += bytes_of(s, text)[i];
    return sum;
}

/* Whether the document was accepted. */
static int scan_once(const uint8_t *data, size_t size, uint32_t *sum)
{
    static uint8_t role_of[MAX_NAMES];
    Scan *s = calloc(1, sizeof *s);
    if (!s) exit(2);
    int verdict = scan(s, data, size);
    if (verdict == NO_MEMORY) exit(2);
    if (verdict == SCANNED) {
        memset(role_of, 0, sizeof role_of);
        assign_roles(s, role_of);
        for (uint32_t i = 0; i < s->n_names; i++) *sum += touch(s, s->names[i]);
        for (uint32_t i = 0; i < s->n_attributes; i++) *sum += touch(s, s->attributes[i].value);
        for (uint32_t i = 0; i < s->n_nodes; i++) {
            const Node *node = &s->nodes[i];
            if (node->end <= i || node->end > s->n_nodes || (i && node->parent >= i)) exit(3);
            if (node->name >= s->n_names || node->attributes > s->nodes[i + 1].attributes) exit(3);
            if (node->has_text) *sum += touch(s, node->text);
            *sum += (uint32_t)flag_of(s, i, role_of[node->name]);
        }
    }
    release(s);
    free(s);
    return verdict == SCANNED;
}

/* Copies a byte to a place near it (half of the time), or writes pieces of markup over a document; returns its size. */
static size_t mutate(uint8_t *data, size_t size)
{
    if (!size) return size;
    if (draw(2)) {
        size_t at = draw(size), from = at + draw(40);
        if (from < size) data[at] = data[from];
        return size;
    }
    for (uint32_t i = draw(3) + 1; i--;) {
        const char *piece = pieces[draw(sizeof pieces / sizeof *pieces)];
        size_t length = strlen(piece), at = draw(size);
        if (at + length <= size) memcpy(data + at, piece, length);
    }
    if (draw(4) == 0) data[draw(size)] = (uint8_t)draw(256);
    return draw(4) ? size : draw(size + 1);
}

int main(int argc, char **argv)
{
    long accepted = 0, declined = 0;
    uint32_t sum = 0;
    if (argc < 3) return 2;
    for (int i = 2; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        uint8_t *original = malloc(1u << 22);
        if (!file || !original) return 2;
        size_t size = fread(original, 1, 1u << 22, file);
        fclose(file);
        for (long m = strtol(argv[1], NULL, 10); m >= 0; m--) {
            uint8_t *copy = malloc(size ? size : 1);
            if (!copy) return 2;
            memcpy(copy, original, size);
            size_t kept = m ? mutate(copy, size) : size;
            uint8_t *exact = malloc(kept ? kept : 1);
            if (!exact) return 2;
            memcpy(exact, copy, kept);
            scan_once(exact, kept, &sum) ? accepted++ : declined++;
            free(exact);
            free(copy);
        }
        free(original);
    }
    printf("accepted %ld, declined %ld (%u)\n", accepted, declined, sum);
    return 0;
}
