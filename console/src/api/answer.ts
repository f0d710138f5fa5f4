// The tree of an answer of the API. Names are those on the wire ("reservationSet", "instanceId").

const kElement = 1; // Node.ELEMENT_NODE

const childrenOf = (element: Element | null): Element[] =>
  Array.from(element?.childNodes ?? []).filter((child) => child.nodeType === kElement) as Element[];

// An element; one that is not there has no text and no items.
export class Node {
  constructor(private readonly element: Element | null) {}

  // The element at a path of names, "instanceState/name".
  at(path: string): Node {
    let element = this.element;
    for (const name of path.split('/')) {
      element = childrenOf(element).find((child) => child.localName === name) ?? null;
    }
    return new Node(element);
  }

  text(path?: string): string {
    return (path === undefined ? this : this.at(path)).element?.textContent ?? '';
  }

  number(path: string): number {
    return Number(this.text(path)) || 0;
  }

  // The <item> elements of the set at `path`.
  items(path: string): Node[] {
    return childrenOf(this.at(path).element)
      .filter((child) => child.localName === 'item')
      .map((child) => new Node(child));
  }
}

// What the API refuses: its code, and a sentence for people.
export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'Refusal';
  }
}

// The answer's root. Throws a Refusal for an error document, and for what is no answer of an API.
export function parseAnswer(status: number, body: string): Node {
  const element = new DOMParser().parseFromString(body, 'application/xml').documentElement as Element | null;
  const root = new Node(element);
  if (element !== null && element.localName.endsWith('Response') && status < 300) return root;
  // EC2 has the error in <Errors>, STS has it at once.
  for (const path of ['Errors/Error', 'Error']) {
    const code = root.text(`${path}/Code`);
    if (code !== '') throw new Refusal(code, root.text(`${path}/Message`));
  }
  throw new Refusal('NoAnswer', `The cloud's answer (${status}) cannot be read`);
}
