import * as env from "./env";
import { answerSize, answerStart, Key, OUT } from "./memory";
import { Pairs } from "./pairs";

const CREATE = new Key("expr_create");
const EVALUATE = new Key("expr_evaluate");
const TOKEN: usize = memory.data(4, 4);

/**
 * A list of properties that the host reads in one call, as Envoy's expressions (CEL) have it: `[response.code, …]`. A call
 * that answers bytes costs 1–1.7 µs and a list 2 µs and 0.3 µs for each of its members. One member that is not known, and
 * there is no list: read them one by one then.
 */
export class PropertyList {
  private readonly token: u32;
  private readonly isKnown: bool;

  /** Only while a root context is being configured: the expression is that one's. */
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

  /** The members of the stream at hand; false where one of them is not known. */
  read(list: Pairs): bool {
    if (!this.isKnown) return false;
    store<u32>(TOKEN, this.token);
    const status = env.proxy_call_foreign_function(EVALUATE.pointer, EVALUATE.size, TOKEN, 4, OUT, OUT + 4);
    if (status != 0 || answerSize() < 4) return false;
    list.begin(answerStart());
    return true;
  }
}
