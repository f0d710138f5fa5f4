// What the steps of a person's way look for on pages, and what they keep of them.
import { findBarriers } from './accessibility.mjs';
import { eventually } from './browser.mjs';

const kDrawn = 20_000;

export const heading = (page, name) => page.getByRole('heading', { level: 1, name });
export const row = (page, name) => page.getByRole('row').filter({ hasText: name });
export const dialog = (page) => page.getByRole('dialog');
export const goTo = async (page, name) => {
  await page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
  await heading(page, name).waitFor();
};

export async function checkBarriers(page, where) {
  let problems = [];
  const look = async () => (problems = await findBarriers(page)).length;
  // A page that is being drawn, or whose colours are on their way, is not what people see.
  await eventually(look, (count) => count === 0, () => `${where} has no barriers:\n  ${problems.join('\n  ')}`, kDrawn);
}

// A function that keeps pictures in `folder`, if there is one.
export const pictures = (folder) => async (page, name) => {
  if (!folder) return;
  await page.mouse.move(0, 0);
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.screenshot({ path: `${folder}/${name}.png`, style: '.toasts { display: none }' });
};
