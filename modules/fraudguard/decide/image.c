/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fraudguard/decide/image.h"

#include <stdlib.h>
#include <string.h>

const char *const fraudguard_metrics[] = {
		"source_requests", "call_attempts", "concurrent_calls", NULL};
const char *const fraudguard_actions[] = {"log", "refuse", "drop", "ban", NULL};
const char *const fraudguard_modes[] = {"off", "shadow", "enforce", NULL};

const char *fraudguard_metric_name(int metric)
{
	return fraudguard_metrics[metric];
}

const char *fraudguard_action_name(int action)
{
	return fraudguard_actions[action];
}

const char *fraudguard_mode_name(int mode)
{
	return fraudguard_modes[mode];
}

static int net_holds(const struct fraudguard_net *n, const uint8_t addr[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	int bytes = n->bits / 8, rest = n->bits % 8;

	/* IPv4-mapped addresses lie inside ::/0, but ::/0 is for IPv6 only. */
	if(n->bits < 96 && memcmp(addr, mapped, 12) == 0)
		return 0;
	if(memcmp(n->addr, addr, (size_t)bytes) != 0)
		return 0;
	return rest == 0
		   || ((n->addr[bytes] ^ addr[bytes]) & (0xff00 >> rest) & 0xff) == 0;
}

int fraudguard_source_is_allowed(
		const struct fraudguard_image *im, const uint8_t addr[16])
{
	for(uint32_t i = 0; i < im->nets; i++) {
		if(net_holds(&im->net[i], addr))
			return 1;
	}
	return 0;
}

static int cmp_account(const void *key, const void *row)
{
	return strcmp(key, row);
}

int fraudguard_account_is_allowed(
		const struct fraudguard_image *im, const char *name)
{
	return im->accounts > 0
		   && bsearch(name, im->account, im->accounts, sizeof im->account[0],
					  cmp_account)
					  != NULL;
}
