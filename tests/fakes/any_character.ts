import fc from "fast-check";

const upTo = (max: number) => fc.integer({ min: 0, max }).map((code) => String.fromCodePoint(code));

/**
 * Any character, lone surrogates too, for `fc.string({ unit: anyCharacter })`. The library's own
 * unit "binary" computes for two seconds before its first text.
 */
export const anyCharacter = fc.oneof(upTo(0x7f), upTo(0xffff), upTo(0x10ffff));
