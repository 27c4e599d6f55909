import { Bytes } from "../bytes";
import { PathTemplate } from "./path-template";
import { Pattern } from "./pattern";

/**
 * A condition's pair of lists about one text: the text is one of the wanted ones (if there are any), and none of the
 * unwanted ones.
 */
export class Wanted {
  private readonly wanted: Pattern[];
  private readonly unwanted: Pattern[];

  constructor(wanted: string[], unwanted: string[]) {
    this.wanted = wanted.map<Pattern>((text) => new Pattern(text));
    this.unwanted = unwanted.map<Pattern>((text) => new Pattern(text));
  }

  holds(value: Bytes): bool {
    return (this.wanted.length == 0 || matchesAny(this.wanted, value)) && !matchesAny(this.unwanted, value);
  }

  holdsLower(value: Bytes): bool {
    return (this.wanted.length == 0 || matchesAnyLower(this.wanted, value)) && !matchesAnyLower(this.unwanted, value);
  }

  /** Of a header: an empty header is present, too. */
  holdsHeader(value: Bytes, isThere: bool): bool {
    if (this.wanted.length > 0 && !matchesHeader(this.wanted, value, isThere)) return false;
    return !matchesHeader(this.unwanted, value, isThere);
  }

  /** Of several values, one that is wanted or unwanted is enough. */
  holdsTexts(values: string[]): bool {
    return (this.wanted.length == 0 || matchesTexts(this.wanted, values)) && !matchesTexts(this.unwanted, values);
  }

  holdsText(value: string): bool {
    return (this.wanted.length == 0 || matchesText(this.wanted, value)) && !matchesText(this.unwanted, value);
  }
}

function matchesAny(patterns: Pattern[], value: Bytes): bool {
  for (let i = 0; i < patterns.length; i++) if (patterns[i].matches(value)) return true;
  return false;
}

function matchesAnyLower(patterns: Pattern[], value: Bytes): bool {
  for (let i = 0; i < patterns.length; i++) if (patterns[i].matchesLower(value)) return true;
  return false;
}

function matchesHeader(patterns: Pattern[], value: Bytes, isThere: bool): bool {
  if (!isThere) return false;
  for (let i = 0; i < patterns.length; i++) if (patterns[i].isPresence || patterns[i].matches(value)) return true;
  return false;
}

function matchesTexts(patterns: Pattern[], values: string[]): bool {
  for (let i = 0; i < values.length; i++) if (matchesText(patterns, values[i])) return true;
  return false;
}

function matchesText(patterns: Pattern[], value: string): bool {
  for (let i = 0; i < patterns.length; i++) if (patterns[i].matchesText(value)) return true;
  return false;
}

/** The same for paths, which may be templates. */
export class WantedPaths {
  private readonly wanted: PathPatterns;
  private readonly unwanted: PathPatterns;

  constructor(wanted: string[], unwanted: string[]) {
    this.wanted = new PathPatterns(wanted);
    this.unwanted = new PathPatterns(unwanted);
  }

  holds(path: Bytes): bool {
    return (this.wanted.isEmpty || this.wanted.match(path)) && !this.unwanted.match(path);
  }
}

class PathPatterns {
  private readonly patterns: Pattern[] = [];
  private readonly templates: PathTemplate[] = [];

  constructor(texts: string[]) {
    for (let i = 0; i < texts.length; i++) {
      if (PathTemplate.is(texts[i])) this.templates.push(new PathTemplate(texts[i]));
      else this.patterns.push(new Pattern(texts[i]));
    }
  }

  get isEmpty(): bool {
    return this.patterns.length + this.templates.length == 0;
  }

  match(path: Bytes): bool {
    if (matchesAny(this.patterns, path)) return true;
    for (let i = 0; i < this.templates.length; i++) if (this.templates[i].matches(path)) return true;
    return false;
  }
}
