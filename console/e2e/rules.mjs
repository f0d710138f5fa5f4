// Security groups: a group is made, single rules of it come and go.
import { check } from './browser.mjs';
import { checkBarriers, dialog, goTo } from './look.mjs';

export async function groupsAndRules(page, picture) {
  await goTo(page, 'Security groups');
  await page.getByRole('button', { name: 'Make a group' }).click();
  await dialog(page).getByLabel('Name').fill('web');
  await dialog(page).getByLabel('Description').fill('Web servers');
  await dialog(page).getByRole('button', { name: 'Make' }).click();
  const rule = page.getByRole('form', { name: 'A rule for web' });
  const inward = page.getByRole('list', { name: 'Let in by web' });
  const outward = page.getByRole('list', { name: 'Let out by web' });
  const add = () => rule.getByRole('button', { name: 'Add the rule' }).click();
  await rule.getByLabel('Ports').fill('22');
  await add();
  await inward.getByText('TCP 22', { exact: true }).waitFor();
  await rule.getByLabel('Protocol').selectOption('UDP');
  await rule.getByLabel('Ports').fill('5000-5010');
  await rule.getByLabel('From').fill('10.0.0.0/8');
  await add();
  await inward.getByText('UDP 5000–5010').waitFor();
  // Inwards all of the group's own may come; outwards one of the two goes.
  await rule.getByLabel('Way').selectOption('out');
  await rule.getByLabel('Protocol').selectOption('ICMP');
  check(await rule.getByLabel('Ports').isDisabled(), 'ICMP has no ports');
  await add();
  await outward.getByText('ICMP').waitFor();
  await page.getByText('Tags of web (0)').click();
  const tags = page.getByRole('group').filter({ hasText: 'Tags of web' });
  await tags.getByLabel('Key').fill('team');
  await tags.getByLabel('Value').fill('front');
  await page.keyboard.press('Enter');
  await page.getByText('Tags of web (1)').waitFor();
  await tags.getByText('front', { exact: true }).waitFor();
  await checkBarriers(page, 'the page of security groups');
  await page.getByText('Tags of web (1)').click();
  await picture(page, 'groups');
  await inward.getByRole('button', { name: /^Remove the rule for UDP 5000–5010 from 10/ }).click();
  await inward.getByText('UDP 5000–5010').waitFor({ state: 'detached' });
  await inward.getByText('TCP 22', { exact: true }).waitFor(); // the other one stays
  await outward.getByRole('button', { name: /^Remove the rule for ICMP/ }).click();
  await outward.getByText('ICMP').waitFor({ state: 'detached' });
  await rule.getByLabel('Way').selectOption('in');
  await rule.getByLabel('Protocol').selectOption('TCP');
  await rule.getByLabel('Ports').fill('80');
  await rule.getByLabel('From').fill('nonsense');
  await add();
  await page.getByRole('alert').filter({ hasText: 'nonsense' }).waitFor(); // the server's own words
  await page.getByRole('alert').getByRole('button').click();
}
