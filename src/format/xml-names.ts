import { BytePattern } from './byte-pattern.js';

/** The expanded name of an element or attribute; the namespace '' is no namespace. */
export interface XmlName {
  readonly namespace: string;
  readonly local: string;
  /** Counts the names of a vocabulary from 1, for tables with a row for each; 0 for a name outside of it. */
  readonly index: number;
}

/** Two names with the same parts are equal, whatever their index: it is no member of its own. */
class Name implements XmlName {
  readonly namespace: string;
  readonly local: string;
  readonly #index: number;

  constructor(namespace: string, local: string, index: number) {
    this.namespace = namespace;
    this.local = local;
    this.#index = index;
    Object.freeze(this);
  }

  get index(): number {
    return this.#index;
  }
}

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';

/** A set of names in which the same name is always the same object, so that names are compared with `===`. */
export class XmlVocabulary {
  readonly #names = new Map<string, Map<string, XmlName>>();
  readonly #numbered: boolean;
  #size = 0;

  /** @param numbered false for a set of names that are outside of the vocabulary proper. Default true. */
  constructor(numbered = true) {
    this.#numbered = numbered;
  }

  /** The one object for this name; made when the vocabulary does not hold it yet. */
  name(namespace: string, local: string): XmlName {
    let locals = this.#names.get(namespace);
    if (locals === undefined) this.#names.set(namespace, (locals = new Map<string, XmlName>()));
    let name = locals.get(local);
    if (name === undefined) {
      const index = this.#numbered ? ++this.#size : 0;
      locals.set(local, (name = new Name(namespace, local, index)));
    }
    return name;
  }

  /** The one object for this name; undefined when the vocabulary does not hold it. */
  find(namespace: string, local: string): XmlName | undefined {
    return this.#names.get(namespace)?.get(local);
  }
}

/** Why `prefix` ('' is the default namespace) must not stand for `namespace`; undefined when it may. */
export function bindingProblem(prefix: string, namespace: string): string | undefined {
  if (prefix === 'xmlns') return 'the prefix "xmlns" must not be declared';
  if (namespace === XMLNS_NAMESPACE) return `the namespace ${XMLNS_NAMESPACE} must not be declared`;
  if ((prefix === 'xml') !== (namespace === XML_NAMESPACE)) {
    return `the prefix "xml" and the namespace ${XML_NAMESPACE} belong together`;
  }
  return prefix !== '' && namespace === '' ? `the prefix "${prefix}" is bound to no namespace` : undefined;
}

/** A name as it stands in a document, `prefix:local`, with its bytes. */
export class QName {
  readonly text: string;
  readonly prefix: string;
  readonly local: string;
  readonly pattern: BytePattern;
  /** The prefix that an attribute of this name binds ('' is the default namespace); undefined: it is no declaration. */
  readonly binds: string | undefined;
  /** The scope this name was last resolved in, and what it was there. */
  scope: Scope | undefined = undefined;
  name: XmlName | undefined = undefined;
  /** The element that was started after the one of this name last time: most often it is so again. */
  follower: QName | undefined = undefined;
  /** The attribute that came after the element or attribute of this name last time. */
  attribute: QName | undefined = undefined;
  /** The next name in the same bucket of its table. */
  next: QName | undefined = undefined;

  constructor(text: string, bytes: Uint8Array, from: number, to: number) {
    const colon = text.indexOf(':');
    this.text = text;
    this.prefix = colon < 0 ? '' : text.slice(0, colon);
    this.local = text.slice(colon + 1);
    this.pattern = new BytePattern(bytes, from, to);
    this.binds = text === 'xmlns' ? '' : this.prefix === 'xmlns' ? this.local : undefined;
  }
}

const BUCKETS = 512;
/** Names kept per document: more than any vocabulary has, few enough that a hostile document cannot fill memory. */
const KEPT = 4096;
/** Longer chains than this are hostile; what is not found by then is found by its text. */
const CHAIN = 8;

/** The names seen in a document, found by their bytes, so that no string is made for a name seen before. */
export class QNameTable {
  readonly #buckets: (QName | undefined)[] = new Array<QName | undefined>(BUCKETS);
  readonly #byText = new Map<string, QName>();

  /** The name with the bytes `from` to `to`; undefined when it was not seen before. */
  find(bytes: Uint8Array, view: DataView, from: number, to: number): QName | undefined {
    for (let entry = this.#buckets[bucket(bytes, from, to)]; entry !== undefined; entry = entry.next) {
      if (entry.pattern.length === to - from && entry.pattern.standsAt(view, from)) return entry;
    }
    return undefined;
  }

  /** The name `text` with the bytes `from` to `to`, from now on known to `find`. */
  add(text: string, bytes: Uint8Array, from: number, to: number): QName {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const added = new QName(text, bytes, from, to);
    if (this.#byText.size >= KEPT) return added;
    this.#byText.set(text, added);
    const at = bucket(bytes, from, to);
    let length = 0;
    for (let entry = this.#buckets[at]; entry !== undefined; entry = entry.next) length++;
    if (length < CHAIN) {
      added.next = this.#buckets[at];
      this.#buckets[at] = added;
    }
    return added;
  }
}

/** Four looks at a name are enough to tell the names of a vocabulary apart. */
function bucket(bytes: Uint8Array, from: number, to: number): number {
  const first = bytes[from] ?? 0;
  const middle = bytes[(from + to) >> 1] ?? 0;
  const last = bytes[to - 1] ?? 0;
  return ((to - from) * 67 + first * 31 + middle * 7 + last * 173) & (BUCKETS - 1);
}

/** Scopes kept per document; beyond that each element that declares namespaces makes its own. */
const KEPT_SCOPES = 256;
const KEPT_NAMES = 16_384;

/** What a document's scopes have in common: the vocabulary, and how much was kept. */
export interface ScopeBudget {
  readonly vocabulary: XmlVocabulary;
  readonly others: XmlVocabulary;
  scopes: number;
  names: number;
}

/** The namespace bindings in force at an element. Scopes reached by the same declarations are one object. */
export class Scope {
  readonly #budget: ScopeBudget;
  readonly #parent: Scope | undefined;
  readonly #prefix: string;
  readonly #namespace: string;
  readonly #inner = new Map<string, Scope>();
  /** The scope inside that was made or found last. */
  #last: Scope | undefined = undefined;
  readonly #elementNames = new Map<QName, XmlName>();
  readonly #attributeNames = new Map<QName, XmlName>();

  constructor(budget: ScopeBudget, parent: Scope | undefined, prefix: string, namespace: string) {
    this.#budget = budget;
    this.#parent = parent;
    this.#prefix = prefix;
    this.#namespace = namespace;
  }

  /** The scope of a whole document, with the bindings that need no declaration. */
  static outermost(vocabulary: XmlVocabulary): Scope {
    const budget = { vocabulary, others: new XmlVocabulary(false), scopes: 0, names: 0 };
    return new Scope(budget, undefined, 'xml', XML_NAMESPACE).declare('', '');
  }

  /** The namespace that `prefix` stands for here; undefined when it is not declared. */
  resolve(prefix: string): string | undefined {
    return this.#prefix === prefix ? this.#namespace : this.#parent?.resolve(prefix);
  }

  /** The expanded name of an element called `qname` here; undefined when its prefix is not declared. */
  element(qname: QName): XmlName | undefined {
    if (qname.scope === this) return qname.name;
    let name = this.#elementNames.get(qname);
    if (name === undefined) {
      const namespace = this.resolve(qname.prefix);
      if (namespace === undefined) return undefined;
      name = this.#expand(namespace, qname.local);
      this.#keep(this.#elementNames, qname, name);
    }
    qname.scope = this;
    qname.name = name;
    return name;
  }

  /** The expanded name of an attribute called `qname` here; undefined when its prefix is not declared. */
  attribute(qname: QName): XmlName | undefined {
    let name = this.#attributeNames.get(qname);
    if (name === undefined) {
      const namespace = qname.prefix === '' ? '' : this.resolve(qname.prefix);
      if (namespace === undefined) return undefined;
      name = this.#expand(namespace, qname.local);
      this.#keep(this.#attributeNames, qname, name);
    }
    return name;
  }

  /** The scope inside this one in which `prefix` stands for `namespace`. */
  declare(prefix: string, namespace: string): Scope {
    const last = this.#last;
    if (last !== undefined && last.#namespace === namespace && last.#prefix === prefix) return last;
    const key = `${prefix}=${namespace}`;
    let inner = this.#inner.get(key);
    if (inner === undefined) {
      inner = new Scope(this.#budget, this, prefix, namespace);
      if (this.#budget.scopes < KEPT_SCOPES) {
        this.#budget.scopes++;
        this.#inner.set(key, inner);
      }
    }
    this.#last = inner;
    return inner;
  }

  #keep(names: Map<QName, XmlName>, qname: QName, name: XmlName): void {
    if (this.#budget.names >= KEPT_NAMES) return;
    this.#budget.names++;
    names.set(qname, name);
  }

  #expand(namespace: string, local: string): XmlName {
    const { vocabulary, others, names } = this.#budget;
    return (
      vocabulary.find(namespace, local) ??
      (names < KEPT_NAMES ? others.name(namespace, local) : new Name(namespace, local, 0))
    );
  }
}
