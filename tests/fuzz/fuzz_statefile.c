/*
 * No bytes make the state file's reader touch memory outside them, and what it
 * accepts is what its own writer would have written.
 *
 * The checksums would keep a fuzzer out for ever, so in mode 1 the input is
 * only the payload and the damage: a sound file is made from it, changed at the
 * places it names, and must be refused or be the same.
 *
 * Build and run, from the top of the tree (clang; `-runs=N` bounds it):
 *   make fuzz F=statefile
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/share/statefile.h"

#define MAX 512u
static const struct tg_statefile_format format = {"fuzz", 1};
static char path[64];

static void require(int what)
{
	if(!what)
		abort();
}

/* One file in a directory of its own, gone when the process ends. */
static void forget(void)
{
	char *slash = strrchr(path, '/');

	unlink(path);
	*slash = '\0';
	rmdir(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	strcpy(path, "/tmp/tollgate-fuzz-XXXXXX");
	require(mkdtemp(path) != NULL);
	strcat(path, "/state");
	atexit(forget);
	return 0;
}

static size_t slurp(uint8_t *to, size_t room)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, to, room);

	require(fd >= 0 && n >= 0);
	close(fd);
	return (size_t)n;
}

static void try_bytes(const uint8_t *data, size_t size)
{
	uint8_t *file = malloc(size > 0 ? size : 1);
	const void *payload = NULL;
	void *read_back;
	size_t len, read_len;
	int fd, rc;

	require(file != NULL);
	memcpy(file, data, size);
	rc = tg_statefile_parse(file, size, &format, MAX, &payload, &len);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
	require(tg_statefile_read(path, &format, MAX, &read_back, &read_len) == rc);
	require(tg_statefile_text(rc)[0] != '\0');
	if(rc == 0) {
		require(len == read_len && len <= MAX && len <= size);
		require(memcmp(payload, read_back, len) == 0);
	} else {
		require(read_back == NULL && payload == NULL);
	}
	free(read_back);
	free(file);
}

/* Data: number of changes, {position, xor} each, then the payload. */
static void try_damage(const uint8_t *data, size_t size)
{
	uint8_t sound[2 * MAX + 256], file[sizeof(sound)];
	size_t changes = data[0] % 8, len, total;
	const uint8_t *payload;
	const void *got;
	int rc;

	if(size < 1 + 2 * changes)
		return;
	payload = data + 1 + 2 * changes;
	len = size - 1 - 2 * changes;
	require(tg_statefile_write(path, &format, payload, len) == 0);
	total = slurp(sound, sizeof(sound));
	if(len > MAX) {
		require(tg_statefile_parse(sound, total, &format, MAX, &got, &len)
				== -TG_STATEFILE_TOO_LARGE);
		return;
	}
	memcpy(file, sound, total);
	for(size_t i = 0; i < changes; i++)
		file[data[1 + 2 * i] % total] ^= data[2 + 2 * i];
	rc = tg_statefile_parse(file, total, &format, MAX, &got, &len);
	require((rc == 0) == (memcmp(file, sound, total) == 0));
	try_bytes(file, total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if(size < 2 || size > 2 * MAX)
		return 0;
	if(data[0] % 2 == 0)
		try_bytes(data + 1, size - 1);
	else
		try_damage(data + 1, size - 1);
	return 0;
}
