/** The files of a ZIP, read in the browser by its central directory (APPNOTE 4.3.12), so that each header can be looked at first. */
const END = 0x06054b50;
const ENTRY = 0x02014b50;
const MEMBERS = 2000;

export class NotAZip extends Error {}

async function view(file: Blob, from: number, to: number): Promise<DataView> {
  return new DataView(await file.slice(Math.max(0, from), to).arrayBuffer());
}

/** Members stored (0) or deflated (8); encrypted ones and ZIP64 are refused, the server then opens the whole file itself. */
export async function unzip(file: File): Promise<File[]> {
  const tail = await view(file, file.size - 65_557, file.size);
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== END) at--;
  if (at < 0) throw new NotAZip();
  const count = tail.getUint16(at + 10, true);
  const size = tail.getUint32(at + 12, true);
  const start = tail.getUint32(at + 16, true);
  if (count > MEMBERS || start === 0xffffffff) throw new NotAZip();
  const list = await view(file, start, start + size);
  const found: File[] = [];
  for (let place = 0, n = 0; n < count; n++) {
    if (list.getUint32(place, true) !== ENTRY) throw new NotAZip();
    const [flags, method] = [list.getUint16(place + 8, true), list.getUint16(place + 10, true)];
    const [packed, nameLength] = [list.getUint32(place + 20, true), list.getUint16(place + 28, true)];
    const skip = list.getUint16(place + 30, true) + list.getUint16(place + 32, true);
    const where = list.getUint32(place + 42, true);
    const name = new TextDecoder().decode(new Uint8Array(list.buffer, list.byteOffset + place + 46, nameLength));
    place += 46 + nameLength + skip;
    if (name.endsWith("/")) continue;
    if (flags & 1 || (method !== 0 && method !== 8)) throw new NotAZip();
    const local = await view(file, where, where + 30);
    const begin = where + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    const raw = file.slice(begin, begin + packed);
    const body = method === 0 ? raw : await new Response(raw.stream().pipeThrough(new DecompressionStream("deflate-raw"))).blob();
    found.push(new File([body], name));
  }
  return found;
}
