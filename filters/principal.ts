/** A principal as `trust-domain/ns/NAMESPACE/sa/SERVICE-ACCOUNT`, taken apart; empty where it is none. */
export class Principal {
  namespace: string = "";
  /** `namespace/service-account`. */
  account: string = "";

  constructor(text: string) {
    const ns = text.indexOf("/ns/");
    const sa = text.indexOf("/sa/", ns + 4);
    if (ns >= 0 && sa >= 0) {
      this.namespace = text.substring(ns + 4, sa);
      this.account = this.namespace + "/" + text.substring(sa + 4);
    }
  }
}
