import { answerSize, answerStart, callForeign, Key } from "../../../assembly/index";
import { decodeBase64Url } from "./base64url";
import { Token } from "./token";

const VERIFY = new Key("verify_signature");

/** RFC 7518 section 3.1: the hash of an algorithm, and the number of bytes of each of the two numbers of an ECDSA signature. */
function hashOf(algorithm: string): string {
  return "sha" + algorithm.substring(2);
}

function numberSize(algorithm: string): i32 {
  if (algorithm == "ES256") return 32;
  if (algorithm == "ES384") return 48;
  return algorithm == "ES512" ? 66 : 0;
}

/** An issuer's public key. */
export class PublicKey {
  private readonly der: ArrayBuffer;

  constructor(
    readonly kid: string,
    readonly algorithms: string[],
    /** SubjectPublicKeyInfo, base64url. */
    spki: string,
  ) {
    const text = String.UTF8.encode(spki);
    const der = decodeBase64Url(changetype<usize>(text), text.byteLength);
    this.der = der === null ? new ArrayBuffer(0) : der;
  }

  verifies(token: Token): bool {
    const half = numberSize(token.algorithm);
    const signature = half > 0 ? ecdsaInDer(token.signature, half) : token.signature;
    if (signature === null || signature.byteLength == 0 || this.der.byteLength == 0) return false;
    const hash = String.UTF8.encode(hashOf(token.algorithm));
    const size = 4 * 6 + hash.byteLength + this.der.byteLength + signature.byteLength + <i32>token.signed.size;
    const message = new ArrayBuffer(size);
    const start = changetype<usize>(message);
    // Envoy's VerifySignatureArguments: hash_function = 1, public_key = 2, signature = 3, text = 4.
    let at = field(start, 1, changetype<usize>(hash), hash.byteLength);
    at = field(at, 2, changetype<usize>(this.der), this.der.byteLength);
    at = field(at, 3, changetype<usize>(signature), signature.byteLength);
    at = field(at, 4, token.signed.start, token.signed.size);
    if (!callForeign(VERIFY, start, at - start)) return false;
    // VerifySignatureResult: `bool result = 1`, absent if it is false.
    return answerSize() >= 2 && load<u8>(answerStart()) == 0x08 && load<u8>(answerStart() + 1) == 1;
  }
}

/** Writes a field of bytes in protobuf. Returns where it ends. */
function field(at: usize, number: u8, start: usize, size: usize): usize {
  store<u8>(at++, (number << 3) | 2);
  let left = size;
  while (left > 0x7f) {
    store<u8>(at++, <u8>(left | 0x80));
    left >>= 7;
  }
  store<u8>(at++, <u8>left);
  memory.copy(at, start, size);
  return at + size;
}

/** A token has the numbers r and s side by side; X.509 has them as a SEQUENCE of two INTEGERs. */
function ecdsaInDer(signature: ArrayBuffer, half: i32): ArrayBuffer | null {
  if (signature.byteLength != 2 * half) return null;
  const start = changetype<usize>(signature);
  const r = integerSize(start, half);
  const s = integerSize(start + half, half);
  const inner = 4 + r + s;
  const result = new ArrayBuffer(inner + (inner > 0x7f ? 3 : 2));
  let at = changetype<usize>(result);
  store<u8>(at++, 0x30);
  if (inner > 0x7f) store<u8>(at++, 0x81);
  store<u8>(at++, <u8>inner);
  at = integer(at, start, half, r);
  integer(at, start + half, half, s);
  return result;
}

/** Writes a number without leading zeros, but with one zero if its first bit would be read as a sign. */
function integerSize(start: usize, size: i32): i32 {
  let zeros = 0;
  while (zeros < size - 1 && load<u8>(start + zeros) == 0) zeros++;
  return size - zeros + (load<u8>(start + zeros) > 0x7f ? 1 : 0);
}

function integer(at: usize, start: usize, size: i32, length: i32): usize {
  store<u8>(at++, 0x02);
  store<u8>(at++, <u8>length);
  if (length > size) {
    store<u8>(at++, 0);
    length = size;
  }
  // The zero before a sign bit may be one of the number's own zeros.
  memory.copy(at, start + size - length, length);
  return at + length;
}
