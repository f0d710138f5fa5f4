// The filter of the instances' table: words that all have to be there, some with a field ("state:running web").
import type { Instance } from '../api/records';

const kFields: Record<string, (instance: Instance) => string> = {
  state: (each) => each.state,
  type: (each) => each.type,
  zone: (each) => each.zone,
  key: (each) => each.key,
  host: (each) => each.host,
  image: (each) => each.image,
  id: (each) => each.id,
  name: (each) => each.name,
  group: (each) => each.groups.map((group) => group.name).join(' '),
};

function matchesWord(instance: Instance, word: string): boolean {
  const colon = word.indexOf(':');
  const field = kFields[word.slice(0, Math.max(colon, 0))];
  if (field) return field(instance).toLowerCase().includes(word.slice(colon + 1));
  const tag = instance.tags.some(([key, value]) => `${key}:${value}`.toLowerCase().includes(word));
  const shown = [instance.name, instance.type, instance.state, instance.privateAddress, instance.publicAddress,
    instance.zone];
  // Of ids only beginnings: "db" would be in many.
  return tag || instance.id.startsWith(word) || shown.some((text) => text.toLowerCase().includes(word));
}

export function matches(instance: Instance, filter: string): boolean {
  return filter.toLowerCase().split(/\s+/).filter(Boolean).every((word) => matchesWord(instance, word));
}
