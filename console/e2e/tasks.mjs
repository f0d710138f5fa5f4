// The log of tasks: imports that another client began, and what happened to instances.
import { checkBarriers, goTo, row } from './look.mjs';

export async function taskLog(page, picture) {
  await goTo(page, 'Tasks');
  await row(page, 'a disk from elsewhere').getByText('completed').waitFor();
  await row(page, 'import of an image').getByText('completed').waitFor();
  const events = page.getByRole('region', { name: 'Instances, latest events' });
  await events.getByRole('listitem').filter({ hasText: 'web-1 running' }).first().waitFor();
  await checkBarriers(page, 'the log of tasks');
  await picture(page, 'tasks');
  await row(page, 'a disk from elsewhere').getByRole('link').click();
  await page.getByText('none: it was imported').waitFor();
}
