// Tags of an object, changed where they stand: a tag becomes a field when its Edit is pressed, Enter keeps what was typed and
// Escape does not.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Cloud } from '../api/cloud';
import type { Tags } from '../api/tags';
import { Button, Field } from '../ui/parts';
import { attempt } from '../ui/toasts';

const kLongestKey = 127;
const kLongestValue = 255;

interface TagsProps {
  cloud: Cloud;
  id: string;
  tags: Tags;
  // Reads the object again.
  onChange: () => unknown;
}

// Does what is asked, and gives whether the cloud took it.
type Change = (action: 'CreateTags' | 'DeleteTags', key: string, value?: string) => Promise<boolean>;

function Row({ name, value, change }: { name: string; value: string; change: Change }) {
  const [typed, setTyped] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const edit = useRef<HTMLButtonElement>(null);
  const wasTyping = useRef(false);
  // The keyboard stays in the row: in the field, and on the button when the field goes.
  useLayoutEffect(() => {
    if (typed !== null && !wasTyping.current) {
      field.current?.focus();
      field.current?.select();
    }
    if (typed === null && wasTyping.current) edit.current?.focus();
    wasTyping.current = typed !== null;
  }, [typed]);
  const save = async (event: Event) => {
    event.preventDefault();
    if (typed === value || (await change('CreateTags', name, typed ?? ''))) setTyped(null);
  };
  if (typed === null) {
    return (
      <li>
        <span class="tag-key">{name}</span>
        <span class="tag-value">{value || <span class="quiet">empty</span>}</span>
        <span class="tag-actions">
          <button ref={edit} type="button" class="plain" aria-label={`Edit the tag ${name}`} onClick={() => setTyped(value)}>
            Edit
          </button>
          <button type="button" class="plain" aria-label={`Remove the tag ${name}`} onClick={() => void change('DeleteTags', name)}>
            Remove
          </button>
        </span>
      </li>
    );
  }
  return (
    <li>
      <span class="tag-key">{name}</span>
      <form class="tag-form" onSubmit={(event) => void save(event)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setTyped(null);
        }}>
        <input ref={field} aria-label={`Value of the tag ${name}`} maxLength={kLongestValue} value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)} />
        <Button type="submit">Save</Button>
        <Button kind="plain" onClick={() => setTyped(null)}>Cancel</Button>
      </form>
    </li>
  );
}

function NewTag({ id, change }: { id: string; change: Change }) {
  const [key, setKey] = useState('');
  const [value, setValue] = useState('');
  const first = useRef<HTMLFormElement>(null);
  const add = async (event: Event) => {
    event.preventDefault();
    if (!(await change('CreateTags', key, value))) return;
    setKey('');
    setValue('');
    first.current?.querySelector('input')?.focus(); // for the next one
  };
  return (
    <form ref={first} class="new-rule" aria-label="Add a tag" onSubmit={(event) => void add(event)}>
      <Field id={`tag-key-${id}`} label="Key">
        <input id={`tag-key-${id}`} required maxLength={kLongestKey} value={key} onInput={(event) => setKey(event.currentTarget.value)} />
      </Field>
      <Field id={`tag-value-${id}`} label="Value">
        <input id={`tag-value-${id}`} maxLength={kLongestValue} value={value} onInput={(event) => setValue(event.currentTarget.value)} />
      </Field>
      <Button type="submit">Add the tag</Button>
    </form>
  );
}

export function TagList({ cloud, id, tags, onChange }: TagsProps) {
  const change: Change = (action, key, value) => {
    const done = action === 'DeleteTags' ? `The tag ${key} is gone` : `${key} is ${value || 'empty'}`;
    return attempt(async () => {
      await cloud.call(action, { 'ResourceId.1': id, 'Tag.1.Key': key, 'Tag.1.Value': value });
      await onChange();
    }, done);
  };
  return (
    <>
      <ul class="tags">
        {tags.map(([key, value]) => (
          <Row key={key} name={key} value={value} change={change} />
        ))}
      </ul>
      <NewTag id={id} change={change} />
    </>
  );
}

export function TagsCard(props: TagsProps) {
  return (
    <section class="card" aria-labelledby={`tags-${props.id}`}>
      <h2 id={`tags-${props.id}`}>Tags</h2>
      {props.tags.length === 0 && <p class="quiet">It has none. The one called Name is how it is called.</p>}
      <TagList {...props} />
    </section>
  );
}
