// Tags of an object: its keys with their values. The one called Name is how people call the object.
import type { Node } from './answer';

export type Tags = [key: string, value: string][];

export const readTags = (node: Node): Tags => node.items('tagSet').map((tag) => [tag.text('key'), tag.text('value')]);

export const nameIn = (tags: Tags): string => tags.find(([key]) => key === 'Name')?.[1] ?? '';
