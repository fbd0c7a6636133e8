// SPDX-License-Identifier: BSD-2-Clause
/*
 * conversations.c - plays made-up conversations of the milter protocol to two filters, and compares all that they
 * answer: replies, edits, and their order.
 *
 * conversations SOCKET_A SOCKET_B FIRST LAST [FOLDER [late]]
 * (paths of unix sockets, seeds, recorded conversations; late: the third round in place of the first two)
 *
 * A: libmilter. B: our own engine. Each seed is one conversation: what an MTA says about one to three mails, most of
 * them mangled (packets left out, doubled, exchanged, of another letter, with other octets, cut off). It is sent whole,
 * in random pieces, or octet by octet; then the sender ends, and the answers are read to their end. So a wrong order, a
 * missing answer and one too many are all seen. Every fourth is one that a real Postfix or Sendmail had, from FOLDER
 * (a file each: the octets that the MTA sent), mangled in the same ways.
 *
 * Our engine is stricter than libmilter on purpose in what wire_connection.c names. A conversation is cut off before
 * the first packet of such a kind before libmilter gets it; our engine gets the whole of it, and its answers must begin
 * with libmilter's. Masked are the random reference in a refusal, the policy's hash, and libmilter's skip where the MTA
 * did not offer to understand it. The filters remember some mails by their sender, so each seed has senders of its own
 * in each round.
 *
 * In the first round the MTA waits for the answer to every step. In the second round it offers our engine to leave out
 * answers (connect, HELO, MAIL, RCPT, end of header, body): all of them, or with half of the seeds some. libmilter gets
 * the same conversation as before. Both are compared up to the first packet for which our engine is stricter:
 *   - A conversation that is not mangled: each answer is matched with its command. If our engine must answer, its
 *     answer equals libmilter's, octet by octet. If it need not answer, it gives no answer, and libmilter's was one of:
 *       `continue` or skip: nothing follows from it;
 *       a refusal: our engine refuses each later step of this mail that it answers, its end among them (after connect
 *       and HELO: of all mails). The reply may differ. After such a refusal at RCPT, the whole mail is refused;
 *       `accept` at connect: our engine accepts, and changes nothing.
 *   - A mangled conversation: libmilter accepted each mail that our engine accepts, in the same order, with the same
 *     edits. Our engine may refuse more. If it accepts without an edit, libmilter must have done so, too (a listener
 *     that is not judged).
 *
 * The third round plays the second one in up to 400 connections, and changes the policy in between. All connections
 * negotiate; then it prints `negotiated` and waits for a line. Meanwhile the policy of both filters is changed. So our
 * engine must refuse at RCPT although the MTA does not wait for that answer.
 *
 * The last line counts the conversations. "silent": those of the second round in which RCPT was not answered, which our
 * engine decides (rcpt_answer.c). Exit: 0 no difference, 1 a difference, 2 a socket cannot be reached.
 */
#include "milter/wire/wire_command.h"
#include "base/buf.h"
#include "milter/wire/wire_flags.h"
#include "tests/conformance/course.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MS 30000
#define WITHOUT_ANSWER                                                                                                 \
    (WIRE_NO_REPLY_CONNECT | WIRE_NO_REPLY_HELO | WIRE_NO_REPLY_MAIL | WIRE_NO_REPLY_RCPT | WIRE_NO_REPLY_HEADER_END | \
     WIRE_NO_REPLY_BODY)

/* ---- random, the same everywhere ---- */

static uint64_t state;
static unsigned long long seed;   /* of the conversation */
static unsigned long long sender; /* the number in its senders and recipients */
static bool mangled;              /* an MTA would not send it so */

static uint32_t any(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 16) % below);
}

#define ONE_OF(list) (list)[any(sizeof(list) / sizeof *(list))]

/* ---- a conversation as packets ---- */

struct packet {
    char letter;
    struct buf data;
};

static struct packet packets[PACKETS];
static size_t packet_count;

static struct buf *packet(char letter)
{
    struct packet *p = &packets[packet_count < PACKETS - 1 ? packet_count++ : packet_count];

    p->letter = letter;
    buf_reset(&p->data);
    return &p->data;
}

static void text_put(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s) + 1);
}

/* The text, with the senders' number where it has %llu. */
static void text_of_seed(struct buf *b, const char *form)
{
    const char *sign = strchr(form, '%');

    if (sign)
        buf_printf(b, "%.*s%llu%s", (int)(sign - form), form, sender, sign + 4);
    else
        buf_adds(b, form);
    buf_addc(b, 0);
}

static void number_put(struct buf *b, uint32_t n)
{
    const uint32_t net = htonl(n);
    buf_add(b, &net, sizeof net);
}

static void macros(char letter, const char *const *pairs)
{
    struct buf *b = packet('D');

    buf_addc(b, letter);
    for (; *pairs; pairs++)
        text_put(b, *pairs);
}

static void negotiation(void)
{
    static const uint32_t versions[] = {6, 6, 6, 6, 6, 6, 6, 6, 2, 3, 4, 5, 7, 1, 0};
    static const uint32_t actions[] = {0x1ff, 0x1ff, 0x1ff, 0x1ff, 0x3f, 0x1f, 0x11, 0xf, 0};
    static const uint32_t steps[] = {0x130fff, 0x130fff, 0x130fff,   0x130fff, 0x10007f, 0x100000,
                                     0x130bff, 0x130e7f, 0x30130fff, 0x7f,     0};
    struct buf *b = packet('O');
    const bool modern = any(5) > 0;

    number_put(b, modern ? 6 : ONE_OF(versions));
    number_put(b, modern ? 0x1ff : ONE_OF(actions));
    number_put(b, modern ? 0x130fff : ONE_OF(steps));
}

static const char *const addresses[] = {"192.0.2.10", "192.0.2.66",  "2001:db8::66", "IPv6:2001:db8::10",
                                        "127.0.0.1",  "203.0.113.7", "/run/x",       "192.0.2.300"};

static void client(void)
{
    static const char *const listeners[] = {"smtpd", "submission", "quiet"};
    const char *address = ONE_OF(addresses);
    struct buf *b;

    if (any(8))
        macros('C',
               (const char *const[]){any(2) ? "j" : "{j}", "mx.example.org", "{daemon_name}", ONE_OF(listeners), NULL});
    b = packet('C');
    text_put(b, any(4) ? "host.example" : "localhost");
    if (any(8) == 0) {
        buf_addc(b, 'U');
        return;
    }
    buf_addc(b, address[0] == '/' ? 'L' : strchr(address, ':') ? '6' : '4');
    buf_addc(b, any(2) ? 0x30 : 0);
    buf_addc(b, 0x39);
    text_put(b, address);
}

static void envelope(void)
{
    static const char *const senders[] = {"<ann+%llu@good.example>",
                                          "<a%llu@parked.example>",
                                          "<>",
                                          "<a%llu@strict.example>",
                                          "junk",
                                          "<a%llu@slow.example>",
                                          ""};
    static const char *const rcpts[] = {"<user%llu@example.org>",
                                        "<u%llu@payroll.example.org>",
                                        "<x%llu@held.example.org>",
                                        "<y%llu@quarantine.example.org>",
                                        "<%llu>",
                                        "nobody%llu"};
    struct buf *b;

    if (any(3) == 0)
        macros('M', (const char *const[]){"{auth_authen}", any(3) ? "" : "ann", "{tls_version}", "TLSv1.2", "{cipher}",
                                          "AES", "{cipher_bits}", "128", any(2) ? "i" : "{i}", "4Qmail", NULL});
    b = packet('M');
    text_of_seed(b, ONE_OF(senders));
    if (any(3) == 0)
        text_put(b, "SIZE=100");
    if (any(6) == 0)
        text_put(b, "SMTPUTF8");
    for (uint32_t n = any(3) + (any(8) > 0); n > 0; n--) {
        if (any(4) == 0)
            macros('R', (const char *const[]){"i", "4Qrcpt", NULL});
        b = packet('R');
        text_of_seed(b, ONE_OF(rcpts));
    }
}

static void content(void)
{
    static const char *const fields[][2] = {
        {"From", " Ann <ann@good.example>"},
        {"From", " a@parked.example"},
        {"From", " a@strict.example"},
        {"Date", " Thu, 01 Jan 2026 00:00:00 +0000"},
        {"Subject", " 50 % of\n\tall"},
        {"Authentication-Results", " mx.example.org; dmarc=pass"},
        {"Authentication-Results", " other.example; spf=pass"},
        {"Assay-Verdict", " deliver"},
        {"Message-ID", " <1@good.example>"},
        {"X", ""},
        {"DKIM-Signature", " v=1; a=rsa-sha256; d=good.example; s=x; h=from; bh=AA==; b=AA=="}};
    struct buf *b;

    if (any(8) == 0)
        packet('T');
    if (any(6))
        for (uint32_t n = any(9) + 1; n > 0; n--) {
            const size_t k = any(sizeof fields / sizeof *fields);
            b = packet('L');
            text_put(b, fields[k][0]);
            text_put(b, fields[k][1]);
        }
    if (any(10) == 0)
        macros('N', (const char *const[]){"i", "4Qheader", NULL});
    packet('N');
    for (uint32_t n = any(3); n > 0; n--) {
        b = packet('B');
        for (uint32_t octets = any(20) ? any(60) + 1 : 65535; octets > 0; octets--)
            buf_addc(b, "hello world\r\n"[octets % 13]);
    }
    if (any(3))
        macros('E', (const char *const[]){"i", any(2) ? "4Qend" : "4Qother", NULL});
    b = packet('E');
    if (any(12) == 0)
        buf_adds(b, "rest\r\n");
}

/* ---- what is wrong with it ---- */

static void mangle(void)
{
    static const char letters[] = "ABCDEHKLMNOQRTUZ\n";
    const size_t at = any((uint32_t)packet_count), other = any((uint32_t)packet_count);
    struct buf *b = &packets[at].data;
    struct packet p = packets[at];

    switch (any(9)) {
    case 0: /* left out */
        memmove(&packets[at], &packets[at + 1], (packet_count - at - 1) * sizeof p);
        packets[--packet_count] = p;
        break;
    case 1: /* exchanged */
        packets[at] = packets[other];
        packets[other] = p;
        break;
    case 2: /* once more at the end */
        b = packet(p.letter);
        buf_add(b, p.data.p, p.data.n);
        break;
    case 3:
        packets[at].letter = letters[any(sizeof letters - 1)];
        break;
    case 4:
        packets[at].letter = ONE_OF("AUHT");
        break;
    case 5:
        if (b->n)
            b->p[any((uint32_t)b->n)] = (char)any(256);
        break;
    case 6:
        buf_cut(b, b->n ? any((uint32_t)b->n) : 0);
        break;
    case 7:
        buf_addc(b, (char)any(3));
        break;
    default: /* another order */
        packet_count = at + 1;
        content();
        break;
    }
}

/* ---- conversations of real MTAs ---- */

#define RECORDED 64

static struct buf recorded[RECORDED];
static unsigned recorded_count;

static bool read_file(const char *folder, const char *name, struct buf *out)
{
    char path[1024], octets[4096];
    size_t n;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "re");
    *out = BUF_INIT;
    while (f && (n = fread(octets, 1, sizeof octets, f)) > 0)
        buf_add(out, octets, n);
    if (f)
        fclose(f);
    return f && out->n;
}

static void read_recorded(const char *folder)
{
    struct dirent **names;
    const int n = scandir(folder, &names, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.' && recorded_count < RECORDED)
            recorded_count += read_file(folder, names[i]->d_name, &recorded[recorded_count]);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    if (!recorded_count) {
        fprintf(stderr, "conversations: there is no recorded conversation in %s\n", folder);
        exit(2);
    }
}

/* As it was, but for a sender that belongs to this seed, and the steps that are not offered here. */
static void replay(struct slice rest)
{
    struct wire_command c;
    struct wire_options o;
    long n;

    for (; packet_count < PACKETS / 2 && (n = wire_command_first(rest, WIRE_DATA_64K, &c)) > 0;
         rest = slice_from(rest, (size_t)n)) {
        struct buf *b = packet(c.letter);
        if (c.letter == 'M' && c.data.n > 3 && c.data.p[1] != '>') {
            buf_printf(b, "<r%llu", sender);
            c.data = slice_from(c.data, 1);
        }
        buf_addslice(b, c.data);
        if (c.letter == 'O' && wire_read_options(c.data, &o)) {
            buf_cut(b, 8); /* version and actions */
            number_put(b, o.protocol & ~WITHOUT_ANSWER);
        }
    }
}

static void make_up(void)
{
    negotiation();
    client();
    if (any(10))
        text_put(packet('H'), any(2) ? "helo.example" : "x");
    for (uint32_t mails = any(3) + 1; mails > 0; mails--) {
        envelope();
        content();
        if (any(6) == 0)
            packet('A');
        if (any(12) == 0)
            text_put(packet('U'), "XYZZY");
        if (any(30) == 0) {
            packet('K');
            client();
        }
    }
    if (any(2))
        packet('Q');
}

static void conversation_make(void)
{
    state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (int i = 0; i < 8; i++)
        any(2);
    packet_count = 0;
    if (recorded_count && any(4) == 0)
        replay(buf_slice(&recorded[any(recorded_count)]));
    else
        make_up();
    mangled = false;
    for (uint32_t n = any(3) ? any(4) : 0; n > 0; n--) {
        mangle();
        mangled = true;
    }
}

static void to_octets(struct buf *out)
{
    buf_reset(out);
    for (size_t i = 0; i < packet_count; i++) {
        number_put(out, (uint32_t)packets[i].data.n + 1);
        buf_addc(out, packets[i].letter);
        buf_add(out, packets[i].data.p, packets[i].data.n);
    }
    if (out->n && any(12) == 0) { /* octets of the stream itself: lengths too */
        out->p[any((uint32_t)out->n)] = (char)any(256);
        mangled = true;
    }
    if (out->n && any(12) == 0) {
        buf_cut(out, any((uint32_t)out->n));
        mangled = true;
    }
}

/* ---- where our engine is another on purpose ---- */

static bool is_strict_connect(struct slice data)
{
    struct wire_connect c;
    uint8_t address[16];
    const char *t;

    if (!wire_read_connect(data, &c))
        return true;
    t = c.address;
    if (c.family == '4')
        return inet_pton(AF_INET, t, address) != 1;
    if (c.family == '6')
        return inet_pton(AF_INET6, strncasecmp(t, "IPv6:", 5) == 0 ? t + 5 : t, address) != 1;
    return c.family == 'L' && strlen(t) >= sizeof((struct sockaddr_un *)0)->sun_path;
}

static bool is_texts(struct slice data)
{
    size_t n = 0;

    if (!wire_are_texts(data))
        return false;
    while (wire_next_text(&data))
        n++;
    return n <= 64;
}

static bool is_ours_alone(const struct wire_command *c)
{
    const char *a, *b;
    struct slice pairs;
    char letter;

    switch (c->letter) {
    case 'C':
        return c->data.n && is_strict_connect(c->data);
    case 'H':
        return c->data.n && !wire_read_text(c->data, &a);
    case 'M':
    case 'R':
        return c->data.n && !is_texts(c->data);
    case 'L':
        return c->data.n && !wire_read_header(c->data, &a, &b);
    case 'D':
        return c->data.n && !wire_read_macros(c->data, &letter, &pairs);
    case 'E':
        return c->data.n > 0;
    case 'K':
        return true;
    default:
        return false;
    }
}

/* How many octets are compared. */
static size_t compared(struct slice all)
{
    struct slice rest = all;
    struct wire_command c;
    long n;

    while ((n = wire_command_first(rest, WIRE_DATA_64K, &c)) > 0 && !is_ours_alone(&c))
        rest = slice_from(rest, (size_t)n);
    if (n == 0 && rest.n >= 4) /* a packet that never ends; libmilter looks at its letter first */
        return all.n - rest.n;
    return n < 0 || n > 0 ? all.n - rest.n : all.n;
}

/* ---- playing ---- */

static int reach(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        fprintf(stderr, "conversations: %s: %s\n", path, strerror(errno));
        exit(2);
    }
    return fd;
}

/* Reads what is there; waits for it if `wait`. false: the filter has ended. */
static bool read_answers(int fd, struct buf *out, bool wait)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char octets[16384];
    ssize_t n;

    if (poll(&p, 1, wait ? ANSWER_MS : 0) == 0) {
        if (wait)
            buf_adds(out, "(no end)");
        return !wait;
    }
    n = read(fd, octets, sizeof octets);
    if (n > 0)
        buf_add(out, octets, (size_t)n);
    return n > 0;
}

/* step 0: whole; 1: octet by octet; else random pieces up to so many octets. */
static void play(int fd, struct slice in, uint32_t step, struct buf *out)
{
    bool open = true;

    while (in.n && open) {
        const size_t most = step == 0 ? in.n : step == 1 ? 1 : any(step) + 1, part = most < in.n ? most : in.n;
        const ssize_t n = send(fd, in.p, part, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        in = slice_from(in, (size_t)n);
        open = !step || read_answers(fd, out, false);
    }
    shutdown(fd, SHUT_WR);
    while (read_answers(fd, out, true))
        ;
    close(fd);
}

static void mask_behind(struct buf *b, const char *word, size_t octets)
{
    const size_t n = strlen(word);

    for (size_t i = 0; i + n + octets <= b->n; i++)
        if (memcmp(b->p + i, word, n) == 0)
            memset(b->p + i + n, '*', octets);
}

static void mask(struct buf *b)
{
    mask_behind(b, "Reference ", 10);
    mask_behind(b, ", policy ", 8);
    mask_behind(b, "policy=", 8);
}

/* The steps that the MTA offers in its first negotiation, which other packets may precede; all, if it has none. */
static uint32_t offered(struct slice all)
{
    struct wire_command c;
    struct wire_options o;
    long n;

    for (; (n = wire_command_first(all, WIRE_DATA_64K, &c)) > 0; all = slice_from(all, (size_t)n))
        if (c.letter == 'O')
            return wire_read_options(c.data, &o) ? o.protocol : UINT32_MAX & ~WITHOUT_ANSWER;
    return UINT32_MAX & ~WITHOUT_ANSWER;
}

/* libmilter says that no more of the body is wanted (SMFIR_SKIP) to MTAs too that have not offered to understand it. */
static void mask_skip(struct buf *b, uint32_t steps)
{
    for (size_t i = 0; i + 5 <= b->n && !(steps & WIRE_MAY_SKIP); i++)
        if (memcmp(b->p + i, "\0\0\0\1s", 5) == 0)
            b->p[i + 4] = 'c';
}

/* ---- the second round: an MTA that does not wait ---- */

/* Adds these steps to the offer of each negotiation. */
static void offer(struct buf *all, uint32_t steps)
{
    struct slice rest = buf_slice(all);
    struct wire_command c;
    struct wire_options o;
    long n;

    for (; (n = wire_command_first(rest, WIRE_DATA_64K, &c)) > 0; rest = slice_from(rest, (size_t)n))
        if (c.letter == 'O' && c.data.n >= 12 && wire_read_options(c.data, &o)) {
            const uint32_t net = htonl(o.protocol | steps);
            memcpy(all->p + (c.data.p - all->p) + 8, &net, sizeof net);
        }
}

static void octets_show(const char *what, struct slice s)
{
    printf("  %s (%zu): ", what, s.n);
    for (size_t i = 0; i < s.n && i < 600; i++)
        printf(s.p[i] >= ' ' && s.p[i] < 127 ? "%c" : "\\%02x", (unsigned char)s.p[i]);
    printf("\n");
}

static void show_difference(const char *what, struct slice all, struct slice a, struct slice b)
{
    printf("DIFFERENT seed %llu: %s\n", seed, what);
    octets_show("said", all);
    octets_show("A", a);
    octets_show("B", b);
}

/* Plays the conversation to both. steps: those that need no answer are offered to our engine; 0: the same octets. */
static void play_both(char **paths, struct buf *all, size_t n, uint32_t step, uint32_t steps, struct buf *a,
                      struct buf *b)
{
    const uint64_t pieces = state;
    const uint32_t understood = offered(buf_slice(all));

    buf_reset(a);
    buf_reset(b);
    play(reach(paths[0]), slice_of(all->p, n), step, a);
    state = pieces;
    if (steps)
        offer(all, steps);
    play(reach(paths[1]), steps ? slice_of(all->p, n) : buf_slice(all), step, b);
    mask(a);
    mask(b);
    mask_skip(a, understood);
}

static struct {
    unsigned long long different, cut, answers, silent;
} count;

/* Makes the seed's conversation: what is sent, in which way, and how much is compared. false: it is not played. */
static bool build(struct buf *all, uint32_t *step, size_t *n)
{
    conversation_make();
    to_octets(all);
    *step = any(40) == 0 && all->n < 4000 ? 1 : any(2) ? 0 : 300;
    *n = compared(buf_slice(all));
    return !(offered(buf_slice(all)) & WITHOUT_ANSWER); /* a changed octet may have offered steps */
}

#define ROUND 1000000000ull /* between the senders of the rounds */

static void first_round(char **paths, struct buf *all, struct buf *a, struct buf *b)
{
    uint32_t step;
    size_t n;

    sender = seed;
    if (!build(all, &step, &n))
        return;
    play_both(paths, all, n, step, 0, a, b);
    count.answers += a->n > 0;
    count.cut += n < all->n;
    if ((n < all->n ? b->n >= a->n : b->n == a->n) && memcmp(a->p, b->p, a->n) == 0 &&
        !memmem(b->p, b->n, "(no end)", 8))
        return;
    count.different++;
    show_difference("first round", buf_slice(all), buf_slice(a), buf_slice(b));
}

static uint32_t steps_offered(void)
{
    static const uint32_t each[] = {WIRE_NO_REPLY_CONNECT, WIRE_NO_REPLY_HELO,       WIRE_NO_REPLY_MAIL,
                                    WIRE_NO_REPLY_RCPT,    WIRE_NO_REPLY_HEADER_END, WIRE_NO_REPLY_BODY};
    uint32_t steps = WITHOUT_ANSWER;

    for (size_t i = 0; seed % 2 && i < sizeof each / sizeof *each; i++)
        steps &= any(3) ? UINT32_MAX : ~each[i];
    return steps | WIRE_NO_REPLY_HEADER;
}

static void compare_second(struct slice said, const struct buf *a, const struct buf *b)
{
    struct wire_command o;
    struct wire_options options;
    const char *wrong;

    count.silent += wire_command_first(buf_slice(b), WIRE_DATA_64K, &o) > 0 && o.letter == 'O' && o.data.n >= 12 &&
                    wire_read_options(slice_of(o.data.p, 12), &options) && (options.protocol & WIRE_NO_REPLY_RCPT);
    if (memmem(b->p, b->n, "(no end)", 8))
        wrong = "it does not end";
    else if (mangled)
        wrong = compare_accepted(buf_slice(a), buf_slice(b));
    else
        wrong = compare_courses(said, buf_slice(a), buf_slice(b));
    if (!wrong)
        return;
    count.different++;
    show_difference(wrong, said, buf_slice(a), buf_slice(b));
}

static void second_round(char **paths, struct buf *all, struct buf *a, struct buf *b)
{
    uint32_t step;
    size_t n;

    sender = seed + ROUND;
    if (!build(all, &step, &n))
        return;
    play_both(paths, all, n, step, steps_offered(), a, b);
    compare_second(slice_of(all->p, n), a, b);
}

/* ---- the third round: the policy changes after the negotiation ---- */

#define HELD 400 /* conversations at once: two descriptors each */

/* A conversation that has negotiated. */
static struct held {
    unsigned long long seed;
    struct buf all;
    size_t first, n; /* octets of the negotiation, and of what is compared */
    uint32_t step;
    bool mangled;
    uint32_t understood;
    int fd[2];
    struct buf answers[2];
} held[HELD];
static size_t held_count;

/* Sends the negotiation to one filter, and reads its answer. */
static void negotiate_with(struct held *h, int which, const char *path)
{
    struct wire_command c;

    h->answers[which] = BUF_INIT;
    h->fd[which] = reach(path);
    if (send(h->fd[which], h->all.p, h->first, MSG_NOSIGNAL) != (ssize_t)h->first)
        return;
    while (wire_command_first(buf_slice(&h->answers[which]), WIRE_DATA_64K, &c) == 0 &&
           read_answers(h->fd[which], &h->answers[which], true))
        ;
}

static void hold(char **paths)
{
    struct held *h = &held[held_count];
    struct wire_command c;

    sender = seed + 2 * ROUND;
    h->all = BUF_INIT;
    const bool played = build(&h->all, &h->step, &h->n);
    const long first = wire_command_first(buf_slice(&h->all), WIRE_DATA_64K, &c);
    if (!played || first <= 0 || c.letter != 'O' || (size_t)first > h->n) {
        buf_release(&h->all);
        return;
    }
    h->seed = seed;
    h->first = (size_t)first;
    h->mangled = mangled;
    h->understood = offered(buf_slice(&h->all));
    negotiate_with(h, 0, paths[0]);
    offer(&h->all, steps_offered());
    negotiate_with(h, 1, paths[1]);
    held_count++;
}

static void go_on(struct held *h)
{
    const struct slice rest = slice_of(h->all.p + h->first, h->n - h->first);

    seed = h->seed;
    mangled = h->mangled;
    for (int i = 0; i < 2; i++) {
        state = seed + 1;
        play(h->fd[i], rest, h->step, &h->answers[i]);
        mask(&h->answers[i]);
    }
    mask_skip(&h->answers[0], h->understood);
    count.answers += h->answers[0].n > 0;
    compare_second(slice_of(h->all.p, h->n), &h->answers[0], &h->answers[1]);
    for (int i = 0; i < 2; i++)
        buf_release(&h->answers[i]);
    buf_release(&h->all);
}

/* The program that runs us changes the policy of both filters after `negotiated`, and then sends a line. */
static void third_round(char **paths, unsigned long long first, unsigned long long last)
{
    for (seed = first; seed <= last && held_count < HELD; seed++)
        hold(paths);
    printf("negotiated\n");
    fflush(stdout);
    if (getchar() == EOF)
        fprintf(stderr, "conversations: nobody has changed the policy\n");
    for (size_t i = 0; i < held_count; i++)
        go_on(&held[i]);
}

int main(int argc, char **argv)
{
    struct buf all = BUF_INIT, a = BUF_INIT, b = BUF_INIT;
    unsigned long long first, last;

    if (argc < 5 || argc > 7 || (argc == 7 && strcmp(argv[6], "late") != 0)) {
        fprintf(stderr, "usage: conversations SOCKET_A SOCKET_B FIRST LAST [FOLDER [late]]\n");
        return 2;
    }
    first = strtoull(argv[3], NULL, 10);
    last = strtoull(argv[4], NULL, 10);
    if (argc > 5)
        read_recorded(argv[5]);
    for (size_t i = 0; i < PACKETS; i++)
        packets[i].data = BUF_INIT;
    if (argc == 7)
        third_round(argv + 1, first, last);
    for (seed = first; argc < 7 && seed <= last && count.different < 10; seed++) {
        first_round(argv + 1, &all, &a, &b);
        second_round(argv + 1, &all, &a, &b);
    }
    printf("conversations: %llu played, %llu answered, %llu compared up to what is stricter here, %llu silent, "
           "%llu different\n",
           last - first + 1, count.answers, count.cut, count.silent, count.different);
    return count.different != 0;
}
