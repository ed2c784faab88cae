/*
 * What became of a registration: usrloc's callbacks. They run under usrloc's
 * slot lock, so there is no database, no usrloc call and no route in here; a
 * profile is changed by one bounded step.
 *
 * Learning waits for them: only what save() really stored is learned. Changes
 * by RPC, replication or timers have no request of this process behind them and
 * teach nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "regguard/kamailio/usrloc.h"
#include "regguard/kamailio/request.h"
#include "regguard/kamailio/state.h"
#include "modules/usrloc/usrloc.h"

#include <string.h>

/* The request that this process is about to save. */
static struct regguard_request expected;
static char expected_callid[256];
static int expected_callid_len;

void regguard_ul_expect(sip_msg_t *msg, const struct regguard_request *r)
{
	int len = msg->callid->body.len;

	expected = *r;
	expected_callid_len = len < (int)sizeof expected_callid
								  ? len
								  : (int)sizeof expected_callid;
	memcpy(expected_callid, msg->callid->body.s, (size_t)expected_callid_len);
}

void regguard_ul_forget(void)
{
	expected_callid_len = 0;
}

static int is_expected(const ucontact_t *c, uint64_t aor_id)
{
	return expected_callid_len > 0 && aor_id == expected.aor_id
		   && c->callid.len >= expected_callid_len
		   && memcmp(c->callid.s, expected_callid, (size_t)expected_callid_len)
					  == 0;
}

static int is_quarantine(const ucontact_t *c)
{
	return c->domain != NULL && c->domain->len == regguard.quarantine_table.len
		   && memcmp(c->domain->s, regguard.quarantine_table.s,
					  (size_t)c->domain->len)
					  == 0;
}

static void on_contact(struct ucontact *c, int type, void *param)
{
	char aor[REGGUARD_AOR_MAX];
	uint64_t now = glue_now(), aor_id, contact;
	int64_t left;

	if(c->aor == NULL || is_quarantine(c))
		return;
	aor_id = regguard_fold_aor(c->aor->s, (size_t)c->aor->len, aor);
	contact = regguard_contact_id(&c->c);
	if(type & (UL_CONTACT_DELETE | UL_CONTACT_EXPIRE)) {
		regguard_binding_gone(
				&regguard.tables, &regguard.settings, aor_id, contact, now);
		return;
	}
	left = (int64_t)c->expires - time(NULL);
	if(!is_expected(c, aor_id) || left <= 0)
		return;
	if(regguard_commit(&regguard.tables, &regguard.settings, &expected, contact,
			   (uint64_t)left * 1000000, now)
			== 0)
		counter_inc(regguard.learned);
}

int regguard_ul_init(void)
{
	usrloc_api_t ul;
	bind_usrloc_t bind =
			(bind_usrloc_t)(void *)find_export("ul_bind_usrloc", 1, 0);

	memset(&ul, 0, sizeof ul);
	if(bind == NULL || bind(&ul) < 0 || ul.register_ulcb == NULL) {
		LM_ERR("regguard needs the usrloc module: put loadmodule \"usrloc.so\" "
			   "before it\n");
		return -1;
	}
	regguard.use_domain = ul.use_domain;
	/* usrloc frees a callback's parameter: there is none. */
	if(ul.register_ulcb(UL_CONTACT_INSERT | UL_CONTACT_UPDATE
								| UL_CONTACT_DELETE | UL_CONTACT_EXPIRE,
			   on_contact, NULL)
			< 0) {
		LM_ERR("cannot register with usrloc: put loadmodule \"usrloc.so\" "
			   "before regguard\n");
		return -1;
	}
	return 0;
}
