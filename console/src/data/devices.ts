// Names under which instances have their volumes.

// The first of /dev/sdf to /dev/sdp, the names EC2 has for data volumes, that is not taken.
export function freeDevice(taken: string[]): string {
  const letters = 'fghijklmnop';
  for (const letter of letters) {
    if (!taken.some((device) => device.endsWith(`d${letter}`))) return `/dev/sd${letter}`;
  }
  return '';
}
