/* Bytes of an XML document -> nodes in document order (used by _tree.c).
 *
 * It knows the plain part of XML that scores are written in: UTF-8, elements, attributes, text, character references and
 * the five predefined entities, comments, processing instructions, a DOCTYPE without declarations. Whatever it does not
 * know, and whatever is not well-formed, it declines, and lxml decides. So it never has to name an error, and what it
 * accepts is what lxml accepts.
 */
#ifndef TREE_SCAN_H
#define TREE_SCAN_H
#include "_tree_text.h"

/* --- markup ----------------------------------------------------------------------------------------------------- */

/* Skips to behind the closing string; `forbidden` must not stand before it. */
static int skip_to(Scan *s, const char *closing, const char *forbidden)
{
    for (; s->at < s->size; s->at++) {
        if (takes(s, closing)) return SCANNED;
        if (forbidden && starts_with(s, forbidden)) return DECLINED;
    }
    return DECLINED;
}

/* Skips a comment or a processing instruction. */
static int skip_aside(Scan *s)
{
    if (takes(s, "<!--")) return skip_to(s, "-->", "--");
    if (!takes(s, "<?")) return DECLINED;
    uint32_t from = s->at;
    while (is_name_byte(byte_at(s, s->at))) s->at++;
    uint32_t length = s->at - from;
    if (!length || !is_name_start(s->data[from])) return DECLINED;
    if (length == 3 && (s->data[from] | 32) == 'x' && (s->data[from + 1] | 32) == 'm' && (s->data[from + 2] | 32) == 'l')
        return DECLINED;
    if (!starts_with(s, "?>") && !is_space(byte_at(s, s->at))) return DECLINED;
    return skip_to(s, "?>", NULL);
}

/* Reads one attribute, whose name must be new in the element. Of prefixed names only those of XML itself are known, and
 * the declaration of a prefix that scores declare and seldom use. */
static int read_attribute(Scan *s, Node *node)
{
    Attribute attribute;
    uint32_t from = s->at, first = node->attributes;
    if (takes(s, "xmlns:xlink=")) {
        s->at--;
        int verdict = read_value(s, &attribute.value);
        return verdict || attribute.value.is_resolved || !attribute.value.length ? DECLINED : SCANNED;
    }
    if (starts_with(s, "xmlns")) return DECLINED;
    int verdict;
    if (takes(s, "xml:lang") || takes(s, "xml:space")) {
        node->keeps_space |= s->at - from == strlen("xml:space");
        verdict = is_name_byte(byte_at(s, s->at)) ? DECLINED : number_name(s, from, &attribute.name);
    } else {
        verdict = read_name(s, &attribute.name);
    }
    if (!verdict) verdict = read_value(s, &attribute.value);
    if (verdict) return verdict;
    if (s->n_attributes - first == MAX_ATTRIBUTES) return DECLINED;
    for (uint32_t i = first; i < s->n_attributes; i++)
        if (s->attributes[i].name == attribute.name) return DECLINED;
    if (make_room(&s->attributes, &s->attribute_room, s->n_attributes, 1, sizeof attribute)) return NO_MEMORY;
    s->attributes[s->n_attributes++] = attribute;
    return SCANNED;
}

/* Reads a start tag into a new node. is_open: whether content follows. */
static int read_start(Scan *s, uint32_t parent, int *is_open)
{
    Node node = {.parent = parent, .attributes = s->n_attributes};
    if (s->n_nodes && s->nodes[parent].keeps_space) return DECLINED; /* blanks between its children count */
    s->at++;
    int verdict = read_name(s, &node.name);
    while (!verdict) {
        uint32_t before = s->at;
        skip_spaces(s);
        uint8_t c = byte_at(s, s->at);
        if (c == '>' || c == '/') break;
        verdict = s->at == before ? DECLINED : read_attribute(s, &node);
    }
    if (verdict) return verdict;
    *is_open = byte_at(s, s->at) == '>';
    s->at += *is_open ? 1 : 2;
    if (!*is_open && (s->at > s->size || s->data[s->at - 1] != '>')) return DECLINED;
    if (make_room(&s->nodes, &s->node_room, s->n_nodes, 2, sizeof node)) return NO_MEMORY; /* one more as an end mark */
    node.end = s->n_nodes + 1;
    s->nodes[s->n_nodes++] = node;
    return SCANNED;
}

static int read_end(Scan *s, uint32_t node)
{
    Text name = s->names[s->nodes[node].name];
    s->at += 2;
    if (s->size - s->at < name.length || memcmp(s->data + s->at, s->data + name.at, name.length)) return DECLINED;
    s->at += name.length;
    skip_spaces(s);
    if (byte_at(s, s->at) != '>') return DECLINED;
    s->at++;
    s->nodes[node].end = s->n_nodes;
    return SCANNED;
}

/* Reads the root element and all that is in it. */
static int read_elements(Scan *s)
{
    uint32_t current = 0, depth = 1;
    int is_open, verdict = read_start(s, 0, &is_open);
    if (verdict || !is_open) return verdict;
    while (depth) {
        verdict = read_text(s, current);
        if (verdict) return verdict;
        if (byte_at(s, s->at) != '<') return DECLINED;
        uint8_t next = byte_at(s, s->at + 1);
        if (next == '/') {
            verdict = read_end(s, current);
            current = s->nodes[current].parent;
            depth--;
        } else if (next == '!' || next == '?') {
            verdict = skip_aside(s);
        } else {
            verdict = read_start(s, current, &is_open);
            if (!verdict && is_open) {
                current = s->n_nodes - 1;
                if (++depth > MAX_DEPTH) return DECLINED;
            }
        }
        if (verdict) return verdict;
    }
    return SCANNED;
}

/* --- what stands around the root -------------------------------------------------------------------------------- */

/* Reads a word of the XML declaration or of the DOCTYPE: spaces, the word. */
static int skip_word(Scan *s, const char *word)
{
    uint32_t before = s->at;
    skip_spaces(s);
    if (s->at > before && takes(s, word)) return SCANNED;
    s->at = before;
    return DECLINED;
}

/* Reads `= "value"`, which must be one of two. */
static int read_one_of(Scan *s, const char *first, const char *second)
{
    Text value;
    if (read_value(s, &value) || value.is_resolved) return DECLINED;
    const uint8_t *bytes = s->data + value.at;
    if (value.length == strlen(first) && !memcmp(bytes, first, value.length)) return SCANNED;
    return value.length == strlen(second) && !memcmp(bytes, second, value.length) ? SCANNED : DECLINED;
}

static int read_declaration(Scan *s)
{
    if (!starts_with(s, "<?xml") || !is_space(byte_at(s, s->at + 5))) return SCANNED;
    s->at += 5;
    if (skip_word(s, "version") || read_one_of(s, "1.0", "1.0")) return DECLINED;
    if (!skip_word(s, "encoding") && read_one_of(s, "UTF-8", "utf-8")) return DECLINED;
    if (!skip_word(s, "standalone") && read_one_of(s, "yes", "no")) return DECLINED;
    skip_spaces(s);
    return takes(s, "?>") ? SCANNED : DECLINED;
}

/* Skips the quoted identifier of a DTD, of plain characters. */
static int skip_identifier(Scan *s)
{
    uint32_t before = s->at;
    skip_spaces(s);
    uint8_t quote = byte_at(s, s->at);
    if (s->at == before || (quote != '"' && quote != '\'')) return DECLINED;
    for (s->at++; byte_at(s, s->at) != quote; s->at++) {
        uint8_t c = byte_at(s, s->at);
        if (!is_name_byte(c) && (!c || !strchr(" /:+", c))) return DECLINED;
    }
    s->at++;
    return SCANNED;
}

static int skip_doctype(Scan *s)
{
    uint32_t name;
    if (!is_space(byte_at(s, s->at))) return DECLINED;
    skip_spaces(s);
    if (read_name(s, &name)) return DECLINED;
    if (!skip_word(s, "PUBLIC")) {
        if (skip_identifier(s) || skip_identifier(s)) return DECLINED;
    } else if (!skip_word(s, "SYSTEM")) {
        if (skip_identifier(s)) return DECLINED;
    }
    skip_spaces(s);
    if (byte_at(s, s->at) != '>') return DECLINED;
    s->at++;
    return SCANNED;
}

/* Skips what may stand before or after the root. */
static int skip_asides(Scan *s)
{
    for (;;) {
        skip_spaces(s);
        if (!starts_with(s, "<!--") && !starts_with(s, "<?")) return SCANNED;
        if (skip_aside(s)) return DECLINED;
    }
}

/* Scans a document. The caller releases. */
static int scan(Scan *s, const uint8_t *data, size_t size)
{
    if (size > MAX_SIZE) return DECLINED;
    s->data = data;
    s->size = (uint32_t)size;
    takes(s, "\xEF\xBB\xBF");
    if (!are_characters(data, s->size) || read_declaration(s) || skip_asides(s)) return DECLINED;
    if (takes(s, "<!DOCTYPE") && (skip_doctype(s) || skip_asides(s))) return DECLINED;
    if (byte_at(s, s->at) != '<') return DECLINED;
    int verdict = read_elements(s);
    if (!verdict) verdict = skip_asides(s);
    if (verdict || s->at != s->size) return verdict ? verdict : DECLINED;
    s->nodes[s->n_nodes] = (Node){.attributes = s->n_attributes};
    return SCANNED;
}
#endif
