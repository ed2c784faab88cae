/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fraudguard/live/keys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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
	/* An IPv6 site has at least a /64 and may change its addresses in it at
	 * will. */
	memcpy(net, addr, 8);
	inet_ntop(AF_INET6, net, text, sizeof text);
	snprintf(out, FRAUDGUARD_KEY_MAX, "ip:%s/64", text);
}

int fraudguard_parse_net(const char *text, struct fraudguard_net *out)
{
	char addr[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	long bits, most, shift;
	char *end;

	if(len >= sizeof addr)
		return -EINVAL;
	memcpy(addr, text, len);
	addr[len] = '\0';
	memset(out, 0, sizeof *out);
	if(inet_pton(AF_INET6, addr, out->addr) == 1) {
		most = 128;
		shift = 0;
	} else if(inet_pton(AF_INET, addr, out->addr + 12) == 1) {
		out->addr[10] = out->addr[11] = 0xff;
		most = 32;
		shift = 96;
	} else {
		return -EINVAL;
	}
	bits = most;
	if(slash != NULL) {
		bits = strtol(slash + 1, &end, 10);
		if(slash[1] < '0' || slash[1] > '9' || *end != '\0' || bits < 0
				|| bits > most)
			return -EINVAL;
	}
	out->bits = (uint8_t)(bits + shift);
	return 0;
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
