import type { InspectSource } from '../generated/types';
import { base64Of } from '../lib/base64';
import { Refused } from '../lib/bridge';

/** Input to inspect. */
export type Given =
  { kind: 'text'; text: string } | { kind: 'picture'; file: File } | { kind: 'clipboard' };

const LARGEST_MIB = 16;

/** Returns the source to send. Rejects with `Refused` if a picture cannot be read. */
export async function sourceOf(given: Given): Promise<InspectSource> {
  if (given.kind !== 'picture') return given;
  const { file } = given;
  // The core knows which kinds of pictures can be read. The system does not know every file's kind.
  if (file.type !== '' && !file.type.startsWith('image/')) {
    refuse(`${nameOf(file)} is not a picture. Choose a picture of a QR code.`);
  }
  if (file.size > LARGEST_MIB * 1024 * 1024) {
    refuse(
      `${nameOf(file)} is larger than ${LARGEST_MIB} MiB. Cut the picture down to the QR code.`,
    );
  }
  try {
    return { kind: 'picture', base64: await base64Of(file) };
  } catch {
    refuse(`${nameOf(file)} cannot be opened. Save it again and choose the copy.`);
  }
}

/** For the beginning of a sentence; what is pasted may have no name. */
function nameOf(file: File): string {
  return file.name === '' ? 'The picture' : file.name;
}

function refuse(message: string): never {
  throw problem(message);
}

function problem(message: string): Refused {
  return new Refused({ code: 'invalid_picture', message, field: null });
}
