/** RFC 4648 section 5: the six bits of a letter; -1 if the letter is not in the alphabet. */
function bits(code: u8): i32 {
  if (code >= 0x61 && code <= 0x7a) return code - 0x61 + 26;
  if (code >= 0x41 && code <= 0x5a) return code - 0x41;
  if (code >= 0x30 && code <= 0x39) return code - 0x30 + 52;
  if (code == 0x2d) return 62;
  return code == 0x5f ? 63 : -1;
}

/**
 * Decodes base64url without padding, as tokens have it; null for anything else. Bits after the last byte have to be 0, so
 * that no two texts are the same token.
 */
export function decodeBase64Url(start: usize, size: usize): ArrayBuffer | null {
  const rest = size & 3;
  if (rest == 1) return null;
  const result = new ArrayBuffer(<i32>((size >> 2) * 3 + (rest > 0 ? rest - 1 : 0)));
  let to = changetype<usize>(result);
  let held: u32 = 0;
  let count: u32 = 0;
  for (let i: usize = 0; i < size; i++) {
    const value = bits(load<u8>(start + i));
    if (value < 0) return null;
    held = (held << 6) | value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    store<u8>(to++, <u8>(held >> count));
    held &= (1 << count) - 1;
  }
  return held == 0 ? result : null;
}
