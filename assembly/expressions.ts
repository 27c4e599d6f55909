import * as env from "./env";
import { answerSize, answerStart, Key, OUT } from "./memory";
import { Pairs } from "./pairs";

const CREATE = new Key("expr_create");
const EVALUATE = new Key("expr_evaluate");
const TOKEN: usize = memory.data(4, 4);

/**
 * A list of properties that the host reads in one call, as an expression (CEL) of Envoy's: `[response.code, …]`. A call that
 * returns bytes costs 1–1.7 µs, and a list 2 µs and 0.3 µs for each of its members. If one member is unknown, there is no list:
 * then read the members one by one.
 */
export class PropertyList {
  private readonly token: u32;
  private readonly isKnown: bool;

  /** Call it only while a root context is being configured: the expression belongs to that context. */
  constructor(expression: string) {
    const text = String.UTF8.encode(expression);
    const status = env.proxy_call_foreign_function(
      CREATE.pointer,
      CREATE.size,
      changetype<usize>(text),
      text.byteLength,
      OUT,
      OUT + 4,
    );
    this.isKnown = status == 0 && answerSize() >= 4;
    this.token = this.isKnown ? load<u32>(answerStart()) : 0;
  }

  /** Reads the members for the current stream; false if one of them is unknown. */
  read(list: Pairs): bool {
    if (!this.isKnown) return false;
    store<u32>(TOKEN, this.token);
    const status = env.proxy_call_foreign_function(EVALUATE.pointer, EVALUATE.size, TOKEN, 4, OUT, OUT + 4);
    if (status != 0 || answerSize() < 4) return false;
    list.begin(answerStart());
    return true;
  }
}
