/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fraudguard/keys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int is_ipv4(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(addr, mapped, 12) == 0;
}

void fraudguard_source_key(const uint8_t addr[16], char out[FRAUDGUARD_KEY_MAX])
{
	char text[INET6_ADDRSTRLEN];
	uint8_t net[16] = {0};

	if(is_ipv4(addr)) {
		inet_ntop(AF_INET, addr + 12, text, sizeof text);
		snprintf(out, FRAUDGUARD_KEY_MAX, "ip:%s", text);
		return;
	}
	/* A site has a /64 at least: its single addresses are free to rotate. */
	memcpy(net, addr, 8);
	inet_ntop(AF_INET6, net, text, sizeof text);
	snprintf(out, FRAUDGUARD_KEY_MAX, "ip:%s/64", text);
}

int fraudguard_address_key(const char *text, char out[FRAUDGUARD_KEY_MAX])
{
	struct fraudguard_net net;

	if(fraudguard_parse_net(text, &net) < 0
			|| (net.bits != 128 && (net.bits != 64 || is_ipv4(net.addr))))
		return -EINVAL;
	fraudguard_source_key(net.addr, out);
	return 0;
}

int fraudguard_normal_key(const char *key, char out[FRAUDGUARD_KEY_MAX])
{
	size_t len = strlen(key);

	if(strncmp(key, "ip:", 3) == 0)
		return fraudguard_address_key(key + 3, out);
	if(strncmp(key, "account:", 8) != 0 || len == 8
			|| len >= 8 + FRAUDGUARD_MATCH_MAX)
		return -EINVAL;
	memcpy(out, key, len + 1);
	return 0;
}
