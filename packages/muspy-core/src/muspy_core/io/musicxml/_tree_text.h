/* The bytes of an XML document: characters, names, texts, and the tables that the scanner fills (used by _tree_scan.h).
 *
 * Every byte is read through `byte_at` and `starts_with`, which know where the document ends, or lies between places that
 * they have passed.
 */
#ifndef TREE_TEXT_H
#define TREE_TEXT_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SCANNED, DECLINED, NO_MEMORY };
enum { MAX_DEPTH = 128, MAX_NAMES = 1024, NAME_SLOTS = 4096, MAX_NAME = 64, MAX_ATTRIBUTES = 48 };
#define MAX_TEXT (1u << 20)
#define MAX_SIZE (1u << 30)

typedef struct {
    uint32_t at, length; /* bytes */
    int is_resolved;     /* whether `at` counts in Scan.resolved, not in the document */
} Text;

typedef struct {
    uint32_t name, parent, end; /* end: the node after the last descendant */
    uint32_t attributes;        /* the first one; those of the next node begin where these end */
    Text text;                  /* before the first child */
    uint8_t has_text, keeps_space;
} Node;

typedef struct {
    uint32_t name;
    Text value;
} Attribute;

typedef struct {
    const uint8_t *data;
    uint32_t at, size;
    Node *nodes;
    Attribute *attributes;
    uint8_t *resolved; /* texts in which references or line ends had to be replaced */
    uint32_t n_nodes, n_attributes, n_resolved;
    size_t node_room, attribute_room, resolved_room;
    Text names[MAX_NAMES];
    uint16_t slots[NAME_SLOTS]; /* hash table of names: number + 1 */
    uint32_t n_names;
} Scan;

/* --- memory ----------------------------------------------------------------------------------------------------- */

/* Makes room for one more; `block` points to the pointer. */
static int make_room(void *block, size_t *room, size_t used, size_t more, size_t item)
{
    void *old;
    if (used + more <= *room) return SCANNED;
    memcpy(&old, block, sizeof old);
    size_t wanted = 2 * (used + more) + 64;
    void *grown = realloc(old, wanted * item);
    if (!grown) return NO_MEMORY;
    memcpy(block, &grown, sizeof grown);
    *room = wanted;
    return SCANNED;
}

static void release(Scan *s)
{
    free(s->nodes);
    free(s->attributes);
    free(s->resolved);
}

/* --- characters ------------------------------------------------------------------------------------------------- */

/* The byte at a place, 0 behind the end (0 occurs in no document: see are_characters). */
static uint8_t byte_at(const Scan *s, uint32_t at) { return at < s->size ? s->data[at] : 0; }

static int starts_with(const Scan *s, const char *text)
{
    size_t length = strlen(text);
    return s->size - s->at >= length && !memcmp(s->data + s->at, text, length);
}

/* Skips `word` if it stands here. */
static int takes(Scan *s, const char *word)
{
    if (!starts_with(s, word)) return 0;
    s->at += (uint32_t)strlen(word);
    return 1;
}

static int is_space(uint8_t c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

static int is_name_start(uint8_t c) { return (c | 32) >= 'a' && (c | 32) <= 'z' ? 1 : c == '_'; }

static int is_name_byte(uint8_t c) { return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; }

static int is_character(uint32_t c)
{
    if (c < 0x20) return c == '\n' || c == '\t' || c == '\r';
    return c < 0xD800 || (c > 0xDFFF && c != 0xFFFE && c != 0xFFFF && c <= 0x10FFFF);
}

/* Whether all bytes are UTF-8 of characters that XML allows. */
static int are_characters(const uint8_t *d, uint32_t size)
{
    for (uint32_t i = 0; i < size;) {
        uint32_t c = d[i], more = c < 0x80 ? 0 : c < 0xC2 ? 9 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : c < 0xF5 ? 3 : 9;
        if (more >= size - i) return 0; /* also for 9, unless many bytes follow */
        if (more == 9) return 0;
        if (more) c &= 0x3Fu >> more;
        for (uint32_t k = 1; k <= more; k++) {
            if ((d[i + k] & 0xC0) != 0x80) return 0;
            c = c << 6 | (d[i + k] & 0x3Fu);
        }
        if (!is_character(c) || (more == 2 && c < 0x800) || (more == 3 && c < 0x10000)) return 0;
        i += more + 1;
    }
    return 1;
}

static void skip_spaces(Scan *s)
{
    while (is_space(byte_at(s, s->at))) s->at++;
}

/* --- names ------------------------------------------------------------------------------------------------------ */

/* The slot of a name in the table, an empty one if it is new. The table has always room. */
static uint32_t slot_of(const Scan *s, const uint8_t *name, size_t length)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++) hash = (hash ^ name[i]) * 16777619u;
    for (uint32_t slot = hash % NAME_SLOTS;; slot = (slot + 1) % NAME_SLOTS) {
        if (!s->slots[slot]) return slot;
        Text known = s->names[s->slots[slot] - 1];
        if (known.length == length && !memcmp(s->data + known.at, name, length)) return slot;
    }
}

/* Numbers the name that ends here. */
static int number_name(Scan *s, uint32_t from, uint32_t *name)
{
    uint32_t length = s->at - from, slot = slot_of(s, s->data + from, length);
    if (!s->slots[slot]) {
        if (s->n_names == MAX_NAMES || length > MAX_NAME) return DECLINED;
        s->names[s->n_names] = (Text){from, length, 0};
        s->slots[slot] = (uint16_t)++s->n_names;
    }
    *name = s->slots[slot] - 1u;
    return SCANNED;
}

/* Reads a name without a prefix. */
static int read_name(Scan *s, uint32_t *name)
{
    uint32_t from = s->at;
    if (!is_name_start(byte_at(s, s->at))) return DECLINED;
    while (is_name_byte(byte_at(s, s->at))) s->at++;
    return byte_at(s, s->at) == ':' ? DECLINED : number_name(s, from, name);
}

/* --- texts ------------------------------------------------------------------------------------------------------ */

/* Appends a character to the resolved texts, for which there is room. */
static void put_character(Scan *s, uint32_t c)
{
    uint8_t *to = s->resolved + s->n_resolved;
    if (c < 0x80) {
        *to++ = (uint8_t)c;
    } else if (c < 0x800) {
        *to++ = (uint8_t)(0xC0 | c >> 6);
        *to++ = (uint8_t)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *to++ = (uint8_t)(0xE0 | c >> 12);
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        *to++ = (uint8_t)(0x80 | (c & 0x3F));
    } else {
        *to++ = (uint8_t)(0xF0 | c >> 18);
        *to++ = (uint8_t)(0x80 | (c >> 12 & 0x3F));
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        *to++ = (uint8_t)(0x80 | (c & 0x3F));
    }
    s->n_resolved = (uint32_t)(to - s->resolved);
}

/* Reads "&amp;" or "&#x266D;" at `at`; returns the place behind it, 0 if it is none. */
static uint32_t read_reference(const Scan *s, uint32_t at, uint32_t *character)
{
    static const struct { const char *name; uint8_t length, character; } known[] = {
        {"&lt;", 4, '<'}, {"&gt;", 4, '>'}, {"&amp;", 5, '&'}, {"&quot;", 6, '"'}, {"&apos;", 6, '\''}};
    if (byte_at(s, at + 1) != '#') {
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (s->size - at >= known[i].length && !memcmp(s->data + at, known[i].name, known[i].length)) {
                *character = known[i].character;
                return at + known[i].length;
            }
        return 0;
    }
    uint32_t base = byte_at(s, at + 2) == 'x' ? 16 : 10, digits = 0, value = 0;
    for (at += base == 16 ? 3 : 2; digits < 8; digits++, at++) {
        uint8_t c = byte_at(s, at), digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' ? (c | 32) - 'a' + 10 : 99;
        if (digit >= base) break;
        value = value * base + digit;
    }
    *character = value;
    return digits && byte_at(s, at) == ';' && is_character(value) ? at + 1 : 0;
}

/* Makes a text of the bytes from..to with references replaced, and line ends as XML wants them: "\n" in text, a space
 * in an attribute (as for tabs). */
static int resolve(Scan *s, uint32_t from, uint32_t to, int is_attribute, Text *text)
{
    if (make_room(&s->resolved, &s->resolved_room, s->n_resolved, to - from, 1)) return NO_MEMORY;
    uint32_t start = s->n_resolved;
    for (uint32_t at = from; at < to;) {
        uint32_t c = s->data[at];
        if (c == '&') {
            at = read_reference(s, at, &c); /* is never longer as UTF-8 than as a reference */
            if (!at || at > to) return DECLINED;
            put_character(s, c);
            continue;
        }
        if (c == '\r' && byte_at(s, at + 1) == '\n') at++;
        s->resolved[s->n_resolved++] = (uint8_t)(is_attribute && is_space((uint8_t)c) ? ' ' : c == '\r' ? '\n' : c);
        at++;
    }
    *text = (Text){start, s->n_resolved - start, 1};
    return SCANNED;
}

/* Reads the text up to the next markup. It belongs to the node unless it is blank and a child follows. */
static int read_text(Scan *s, uint32_t owner)
{
    Node *node = &s->nodes[owner];
    uint32_t from = s->at;
    int is_plain = 1, is_blank = 1, has_return = 0;
    for (;; s->at++) {
        uint8_t c = byte_at(s, s->at);
        if (c == '<' || !c) break;
        if (c == '&' || c == '\r') is_plain = 0;
        if (c == '\r') has_return = 1;
        if (!is_space(c)) is_blank = 0;
        if (c == ']' && byte_at(s, s->at + 1) == ']' && byte_at(s, s->at + 2) == '>') return DECLINED;
    }
    if (s->at == from) return SCANNED;
    int is_last = byte_at(s, s->at + 1) == '/', is_first = s->n_nodes == owner + 1;
    if (is_blank && !(is_first && is_last && !node->has_text)) return node->has_text && is_first ? DECLINED : SCANNED;
    if (!is_first) { /* text between children is nothing that a score has, but its references must be right */
        Text unused;
        return is_plain ? SCANNED : resolve(s, from, s->at, 0, &unused);
    }
    if (has_return && is_space(s->data[from])) return DECLINED;     /* lxml drops blanks before a carriage return */
    if (node->has_text || s->at - from > MAX_TEXT) return DECLINED; /* a comment inside a text */
    node->has_text = 1;
    node->text = (Text){from, s->at - from, 0};
    return is_plain ? SCANNED : resolve(s, from, s->at, 0, &s->nodes[owner].text);
}

/* Reads `= "value"`. */
static int read_value(Scan *s, Text *value)
{
    skip_spaces(s);
    if (byte_at(s, s->at) != '=') return DECLINED;
    s->at++;
    skip_spaces(s);
    uint8_t quote = byte_at(s, s->at);
    if (quote != '"' && quote != '\'') return DECLINED;
    uint32_t from = ++s->at;
    int is_plain = 1;
    for (;; s->at++) {
        uint8_t c = byte_at(s, s->at);
        if (c == quote) break;
        if (!c || c == '<') return DECLINED;
        if (c == '&' || (c != ' ' && is_space(c))) is_plain = 0;
    }
    if (s->at - from > MAX_TEXT) return DECLINED;
    *value = (Text){from, s->at - from, 0};
    return s->at++, is_plain ? SCANNED : resolve(s, from, s->at - 1, 1, value);
}
#endif
