// SPDX-License-Identifier: BSD-2-Clause
// What a sendmail.cf makes Sendmail do with assay-milter: each way in which mail would not be asked about.
#include "cli/harden/sendmail_cf.h"
#include "tests/unit/cm.h"
#include <string.h>

#define X "Xassay, S=local:/run/assay/m.sock, F=T, T=S:30s;R:60s;E:5m\n"
#define D "Xopendkim, S=local:/x\n"

static void test_judge(void **state)
{
    (void)state;
    static const struct {
        const char *cf, *trouble;
    } cases[] = {
        {X "O InputMailFilters=assay\n", NULL},
        {"O InputMailFilters=assay,opendkim\n" X D, NULL},
        {"O InputMailFilters=assay; opendkim\n" D X, NULL},
        {"O InputMailFilters=assay, opendkim\n" X, "opendkim is not defined"},
        {"O InputMailFilters=Assay, OpenDKIM\n" X D, NULL},
        {X "O InputMailFilters=assay\nO DaemonPortOptions=Name=b, InputMailFilters=assay;opendkim\n",
         "of listener b is \"assay;opendkim\": opendkim is not defined"},
        {X X "O InputMailFilters=assay\n", "assay is defined twice"},
        {D X "Xopendkim, S=local:/y\nO InputMailFilters=assay\n", "opendkim is defined twice"},
        {"XASSAY, S=local:/elsewhere\n" X "O InputMailFilters=assay\n", "is defined twice"},
        {"Xassay,\tS=unix:/run/assay/m.sock,\n\tF=T\nO InputMailFilters=assay\n", NULL},
        {"# " X "O InputMailFilters=assay\n", "no filter assay is defined"},
        {"Xassayer, S=local:/run/assay/m.sock, F=T\nO InputMailFilters=assayer\n", NULL}, /* its socket is ours */
        {"Xassayer, S=local:/run/assay/m.sock, F=T\nO InputMailFilters=assay\n", "assayer is not asked"},
        {"Xassayer, S=local:/elsewhere, F=T\nO InputMailFilters=assayer\n", "no filter assay is defined"},
        {"Xassay, S=local:/run/assay/m.sock, F=4\nO InputMailFilters=assay\n", NULL},
        {"Xassay, S=local:/run/assay/m.sock, F=t\nO InputMailFilters=assay\n", "comes in unjudged"},
        {X, "is \"\": assay is not asked"},
        {X "O InputMailFilters=assay\nO InputMailFilters=opendkim\n", "is \"opendkim\": assay is not asked"},
        {X "O InputMailFilters=opendkim,assay\n", "must be first"},
        {"Xassay, S=local:/run/assay/m.sock, F=\nO InputMailFilters=assay\n", "comes in unjudged"},
        {"Xassay, S=local:/run/assay/m.sock, F=R\nO InputMailFilters=assay\n", "comes in unjudged"},
        {"Xassay, S=local:/run/assay/m.sock\nO InputMailFilters=assay\n", "has no F"},
        {"Xassay, S=local:/elsewhere, F=T\nO InputMailFilters=assay\n", "is asked at local:/elsewhere"},
        {"Xassay, F=T\nO InputMailFilters=assay\n", "has no socket"},
        {X "O InputMailFilters=assay\nO DaemonPortOptions=Name=MTA, Port=25\n", NULL},
        {X "O InputMailFilters=assay\nO DaemonPortOptions=Name=MTA, InputMailFilters=assay;opendkim\n" D, NULL},
        {X "O InputMailFilters=assay\nO DaemonPortOptions=Name=MTA2, InputMailFilters=opendkim, Port=26\n",
         "of listener MTA2 is \"opendkim\""},
        {X "O InputMailFilters=assay\nO DaemonPortOptions=InputMailFilters=, Name=a\n", "of listener a is \"\""},
        {X "O InputMailFilters=assay\nO DaemonPortOptions=Port=26, Name=b, I=opendkim\n",
         "of listener b is \"opendkim\""},
        {X "O InputMailFilters=assay\nO DaemonPortOptions=Port=26, N=b, InputFilters=assay\n", NULL},
        {X "O InputMailFilters=assay\nO DaemonPort = Name=c, Input=\n", "of listener c is \"\""},
        {X "O InputMailFilters=assay\nO inputmailfilter = opendkim\n", "is \" opendkim\": assay is not asked"},
        {X "O InputMailFilters=assay\nO DaemonPortOptions=port=26, name=d, inputmailfilters=\n",
         "of listener d is \"\""},
        {"Xassay, s=local:/run/assay/m.sock, f=T\nO InputMailFilters=assay\n", "has no socket"},
        {"Xassay, Socket=local:/run/assay/m.sock, Flags=T\nO InputMailFilters=assay\n", NULL},
        {"Xassay, Socket=local:/elsewhere, Flags=T\nO InputMailFilters=assay\n", "is asked at local:/elsewhere"},
        {"Xassay, S = local:/run/assay/m.sock, F = R\nO InputMailFilters=assay\n", "comes in unjudged"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *a = arena_new(1 << 20);
        struct sendmail_verdict v = sendmail_cf_judge(a, slice_str(cases[i].cf), "unix:/run/assay/m.sock");
        if (!cases[i].trouble)
            assert_null(v.trouble);
        else if (!v.trouble || !strstr(v.trouble, cases[i].trouble))
            fail_msg("case %zu: %s", i, v.trouble ? v.trouble : "no trouble");
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_judge)};
    return cmocka_run_group_tests_name("sendmail_cf", tests, NULL, NULL);
}
