/*
 * Addresses as the tables hold them: 16 bytes, IPv4 mapped into ::ffff:0:0/96.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_ADDRESS_H
#define GLUE_ADDRESS_H

#include "core/ip_addr.h"

#include <stdint.h>
#include <string.h>

static inline void glue_map_addr(const struct ip_addr *ip, uint8_t out[16])
{
	if(ip->af == AF_INET6) {
		memcpy(out, ip->u.addr, 16);
		return;
	}
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, ip->u.addr, 4);
}

#endif
