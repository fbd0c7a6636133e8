// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire_flags.h - what MTA and filter agree on when they negotiate the milter protocol: the bits of libmilter's mfapi.h
 * (SMFIF_..., SMFIM_...) and mfdef.h (SMFIP_...) under names of our own, so that no other file needs libmilter.
 * libmilter.c checks at compile time that they are equal.
 */
#ifndef ASSAY_MILTER_WIRE_WIRE_FLAGS_H
#define ASSAY_MILTER_WIRE_WIRE_FLAGS_H

/* Actions: what the filter may do to a mail. */
#define WIRE_MAY_ADD_HEADERS 0x1u
#define WIRE_MAY_CHANGE_HEADERS 0x10u
#define WIRE_MAY_QUARANTINE 0x20u
#define WIRE_MAY_SET_SYMBOLS 0x100u /* it may name the macros that it wants */

/* Steps: what the MTA need not send, which commands it sends without waiting for an answer, and what it understands. */
#define WIRE_NO_REPLY_HEADER 0x80u
#define WIRE_NO_UNKNOWN 0x100u
#define WIRE_NO_DATA 0x200u
#define WIRE_MAY_SKIP 0x400u
#define WIRE_NO_REPLY_CONNECT 0x1000u
#define WIRE_NO_REPLY_HELO 0x2000u
#define WIRE_NO_REPLY_MAIL 0x4000u
#define WIRE_NO_REPLY_RCPT 0x8000u
#define WIRE_NO_REPLY_DATA 0x10000u
#define WIRE_NO_REPLY_UNKNOWN 0x20000u
#define WIRE_NO_REPLY_HEADER_END 0x40000u
#define WIRE_NO_REPLY_BODY 0x80000u
#define WIRE_LEADING_SPACE 0x100000u

/* What an MTA of version 2 can do that offers no bits at all. */
#define WIRE_FIRST_ACTIONS 0xfu
#define WIRE_FIRST_STEPS 0x3fu

/* Stages at which macros are sent. */
#define WIRE_STAGE_CONNECT 0u
#define WIRE_STAGE_HELO 1u
#define WIRE_STAGE_MAIL 2u
#define WIRE_STAGE_RCPT 3u
#define WIRE_STAGE_DATA 4u
#define WIRE_STAGE_END 5u
#define WIRE_STAGE_HEADER_END 6u
#define WIRE_STAGES 7u

#endif
