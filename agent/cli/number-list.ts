import { InvalidArgumentError } from "commander";

/** Parses an option `NAME=NUMBER,NAME=NUMBER`. Names that the text does not have keep their defaults. */
export function numberList<T extends object>(defaults: { readonly [Name in keyof T]: number }): (text: string) => T {
  const known = Object.keys(defaults);
  return (text) => {
    const named = text.split(",").map((part): readonly [string, number] => {
      const [name = "", value = ""] = part.split("=");
      if (!known.includes(name)) throw new InvalidArgumentError(`The limits are: ${known.join(", ")}.`);
      if (!/^[1-9][0-9]{0,8}$/u.test(value)) throw new InvalidArgumentError("Give them as NAME=NUMBER,NAME=NUMBER.");
      return [name, Number(value)];
    });
    return { ...defaults, ...Object.fromEntries(named) } as T;
  };
}

export function printedNumbers(all: object): string {
  return Object.entries(all)
    .map(([name, limit]) => `${name}=${limit}`)
    .join(",");
}
