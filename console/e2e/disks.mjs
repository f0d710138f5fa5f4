// Volumes and snapshots: made, attached, kept as a snapshot, made again of it, detached, deleted; tags changed in place.
import { check, eventually } from './browser.mjs';
import { checkBarriers, dialog, goTo, heading, row } from './look.mjs';

const state = (page) => page.locator('.subtitle .state');
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
const confirm = (page, name) => dialog(page).getByRole('button', { name, exact: true }).click();

async function make(page) {
  await goTo(page, 'Volumes');
  await press(page, 'Make a volume');
  await dialog(page).getByLabel('Name').fill('data');
  await dialog(page).getByLabel('Size').fill('4');
  await checkBarriers(page, 'the question for a volume');
  await confirm(page, 'Make');
  await row(page, 'data').getByText('available').waitFor();
  await row(page, 'data').getByRole('link').click();
  await heading(page, 'data').waitFor();
}

async function attach(page) {
  await press(page, 'Attach…');
  await dialog(page).getByLabel('Instance').selectOption({ label: 'web-1, running' });
  check((await dialog(page).getByLabel('Device').inputValue()) === '/dev/sdf', 'a free device is proposed');
  await confirm(page, 'Attach');
  await page.getByText('attached', { exact: true }).waitFor();
  check(await page.getByRole('button', { name: 'Delete…' }).isDisabled(), 'an attached volume is not deleted');
}

async function snapshot(page, picture) {
  await press(page, 'Snapshot…');
  await dialog(page).getByLabel('Description').fill('before the upgrade');
  await confirm(page, 'Make');
  await row(page, 'before the upgrade').getByText('completed').waitFor();
  await press(page, 'Make larger…');
  await dialog(page).getByLabel('New size').fill('5');
  await confirm(page, 'Make larger');
  await page.getByText('5 GiB', { exact: true }).waitFor();
  await checkBarriers(page, 'a volume');
  await picture(page, 'volume');
}

// The keyboard alone: edits, leaves, adds, removes.
export async function tagsInPlace(page) {
  const tags = page.getByRole('region', { name: 'Tags' });
  const edit = tags.getByRole('button', { name: 'Edit the tag Name' });
  const focused = (locator) => eventually(() => locator.evaluate((each) => each === document.activeElement), Boolean, 'the focus is there');
  const field = tags.getByLabel('Value of the tag Name');
  const was = await tags.locator('.tag-value').first().innerText();
  await edit.focus();
  await page.keyboard.press('Enter');
  await focused(field);
  await page.keyboard.type('never mind');
  await page.keyboard.press('Escape');
  await tags.getByText(was, { exact: true }).waitFor();
  await focused(edit);
  await page.keyboard.press('Enter');
  await focused(field);
  await page.keyboard.type('renamed'); // over the old value, which is selected
  await page.keyboard.press('Enter');
  await heading(page, 'renamed').waitFor();
  await tags.getByLabel('Key').fill('stage');
  await tags.getByLabel('Value', { exact: true }).fill('test');
  await page.keyboard.press('Enter');
  await tags.getByText('test', { exact: true }).waitFor();
  await checkBarriers(page, 'tags');
  await tags.getByRole('button', { name: 'Remove the tag stage' }).click();
  await tags.getByText('test', { exact: true }).waitFor({ state: 'detached' });
  await edit.click();
  await field.fill(was);
  await page.keyboard.press('Enter');
  await heading(page, was).waitFor();
}

async function makeOfSnapshot(page, picture) {
  await goTo(page, 'Snapshots');
  await checkBarriers(page, 'the list of snapshots');
  await picture(page, 'snapshots');
  await row(page, 'before the upgrade').getByRole('link').first().click();
  await page.getByText('before the upgrade').waitFor();
  await checkBarriers(page, 'a snapshot');
  await press(page, 'Make a volume…');
  await dialog(page).getByLabel('Name').fill('copy');
  check((await dialog(page).getByLabel('Size').inputValue()) === '4', 'it is as large as the snapshot');
  await confirm(page, 'Make');
  await row(page, 'copy').getByText('available').waitFor();
  await checkBarriers(page, 'the list of volumes');
  await picture(page, 'volumes');
}

async function remove(page) {
  await row(page, 'data').getByRole('link', { name: 'data' }).click();
  await press(page, 'Detach…');
  await confirm(page, 'Detach');
  await state(page).getByText('available').waitFor();
  await press(page, 'Delete…');
  await page.keyboard.press('Escape');
  await press(page, 'Delete…');
  await confirm(page, 'Delete');
  await page.getByText('There is no such volume').waitFor();
  await goTo(page, 'Snapshots');
  await row(page, 'before the upgrade').getByRole('link').first().click();
  await press(page, 'Delete…');
  await confirm(page, 'Delete');
  await heading(page, 'Snapshots').waitFor();
  await row(page, 'before the upgrade').waitFor({ state: 'detached' });
}

export async function volumesAndSnapshots(page, picture) {
  await make(page);
  await attach(page);
  await snapshot(page, picture);
  await tagsInPlace(page);
  await makeOfSnapshot(page, picture);
  await remove(page);
}
