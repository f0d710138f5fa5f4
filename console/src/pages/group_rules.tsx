// The rules of a security group, each for itself: seen, added, taken away.
import { useState } from 'preact/hooks';
import type { Group } from '../api/records';
import { type Rule, trafficOf } from '../api/rules';
import { hasPorts, parametersOf, type RuleWish } from '../data/rule_wish';
import type { Session } from '../data/session';
import { Button, Field } from '../ui/parts';
import { attempt } from '../ui/toasts';

interface RulesProps {
  group: Group;
  rules: Rule[];
  nameOf: (id: string) => string;
  session: Session;
  again: () => void;
}

const kFresh: RuleWish = { outward: false, protocol: 'tcp', ports: '', peer: '0.0.0.0/0' };

function Rules({ title, rules, empty, ...props }: RulesProps & { title: string; empty: string }) {
  const remove = async (rule: Rule, text: string) => {
    const action = rule.outward ? 'RevokeSecurityGroupEgress' : 'RevokeSecurityGroupIngress';
    const wish = { GroupId: props.group.id, 'SecurityGroupRuleId.1': rule.id };
    if (await attempt(() => props.session.cloud.call(action, wish), `${props.group.name}: ${text} is not let through any more`)) props.again();
  };
  return (
    <>
      <h3>{title}</h3>
      {rules.length === 0 && <p class="quiet">{empty}</p>}
      <ul class="rules" aria-label={`${title} ${props.group.name}`}>
        {rules.map((rule) => {
          const text = `${trafficOf(rule)} ${rule.outward ? 'to' : 'from'} ${props.nameOf(rule.peer)}`;
          return (
            <li key={rule.id}>
              <strong>{trafficOf(rule)}</strong> {rule.outward ? 'to' : 'from'} {props.nameOf(rule.peer)}
              <button type="button" class="plain" aria-label={`Remove the rule for ${text} of ${props.group.name}`}
                onClick={() => void remove(rule, text)}>
                Remove
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}

function NewRule({ group, session, again }: Pick<RulesProps, 'group' | 'session' | 'again'>) {
  const [wish, setWish] = useState(kFresh);
  const change = (part: Partial<RuleWish>) => setWish({ ...wish, ...part });
  const add = async (event: Event) => {
    event.preventDefault();
    const action = wish.outward ? 'AuthorizeSecurityGroupEgress' : 'AuthorizeSecurityGroupIngress';
    const done = `${group.name} has a new rule ${wish.outward ? 'to' : 'from'} ${wish.peer}`;
    if (!(await attempt(() => session.cloud.call(action, { GroupId: group.id, ...parametersOf(wish) }), done))) return;
    change({ ports: '' });
    again();
  };
  const id = (name: string) => `${name}-${group.id}`;
  return (
    <form class="new-rule" aria-label={`A rule for ${group.name}`} onSubmit={(event) => void add(event)}>
      <Field id={id('way')} label="Way">
        <select id={id('way')} value={wish.outward ? 'out' : 'in'} onChange={(event) => change({ outward: event.currentTarget.value === 'out' })}>
          <option value="in">in</option>
          <option value="out">out</option>
        </select>
      </Field>
      <Field id={id('protocol')} label="Protocol">
        <select id={id('protocol')} value={wish.protocol}
          onChange={(event) => change({ protocol: event.currentTarget.value as RuleWish['protocol'] })}>
          <option value="tcp">TCP</option>
          <option value="udp">UDP</option>
          <option value="icmp">ICMP</option>
          <option value="-1">everything</option>
        </select>
      </Field>
      <Field id={id('ports')} label="Ports">
        <input id={id('ports')} placeholder="22, 5000-5010" disabled={!hasPorts(wish.protocol)} required={hasPorts(wish.protocol)}
          value={hasPorts(wish.protocol) ? wish.ports : ''} onInput={(event) => change({ ports: event.currentTarget.value })} />
      </Field>
      <Field id={id('peer')} label={wish.outward ? 'To' : 'From'}>
        <input id={id('peer')} required value={wish.peer} placeholder="10.0.0.0/8, sg-…"
          onInput={(event) => change({ peer: event.currentTarget.value })} />
      </Field>
      <Button type="submit">Add the rule</Button>
    </form>
  );
}

export function GroupRules(props: RulesProps) {
  const { rules } = props;
  return (
    <>
      <Rules {...props} title="Let in by" rules={rules.filter((rule) => !rule.outward)} empty="It lets nobody in." />
      <Rules {...props} title="Let out by" rules={rules.filter((rule) => rule.outward)} empty="It lets nothing out." />
      <NewRule group={props.group} session={props.session} again={props.again} />
    </>
  );
}
