import type { MetadataInput } from '../../generated/types';
import { fieldsToJson, jsonToFields, type MetadataField } from './metadata';

/** Member of the metadata that is a person's name. */
const NAME = 'name';

type Row = { key: number; name: string; value: string };

const WHY_STILL_JSON = {
  unreadable: 'This is not JSON yet, so it cannot be shown as fields.',
  not_an_object: 'This is not an object with members, so it cannot be shown as fields.',
  not_all_texts: 'Some values are not texts. Fields hold texts only, so this stays JSON.',
};

/** Edited metadata: rows of name and value, or JSON. */
export class MetadataDraft {
  /** Value of the field `name`, which has an input of its own beside the rows. */
  name = $state('');
  rows = $state<Row[]>([]);
  json = $state('');
  form = $state<'fields' | 'json'>('fields');
  /** Why the JSON could not be turned into fields. */
  #reason = $state<{ json: string; text: string } | null>(null);
  #nextKey = 0;

  /** The reason that is shown until the JSON changes. */
  get reason(): string | null {
    return this.#reason?.json === this.json ? this.#reason.text : null;
  }

  get input(): MetadataInput {
    return this.form === 'json'
      ? { kind: 'json', text: this.json }
      : { kind: 'fields', fields: this.#fields() };
  }

  /** Adds a row and returns its key. */
  add(name = '', value = ''): number {
    const key = this.#nextKey++;
    this.rows.push({ key, name, value });
    return key;
  }

  remove(key: number): void {
    this.rows = this.rows.filter((row) => row.key !== key);
  }

  editAsJson(): void {
    this.json = fieldsToJson(this.#fields());
    this.form = 'json';
  }

  /** Turns the JSON into fields. Returns whether that was possible. */
  editAsFields(): boolean {
    const read = jsonToFields(this.json);
    if ('reason' in read) {
      this.#reason = { json: this.json, text: WHY_STILL_JSON[read.reason] };
      return false;
    }
    this.rows = [];
    this.name = '';
    for (const [name, value] of read.fields) {
      if (name === NAME && this.name === '') this.name = value;
      else this.add(name, value);
    }
    this.form = 'fields';
    return true;
  }

  /** Fills in metadata. It stays JSON if fields would lose something. */
  fill(json: string): void {
    this.json = json;
    if (this.editAsFields()) return;
    this.form = 'json';
    this.#reason = null;
  }

  /** Fills in the metadata of a request. */
  take(input: MetadataInput): void {
    this.fill(input.kind === 'json' ? input.text : fieldsToJson(input.fields));
  }

  clear(): void {
    this.name = '';
    this.rows = [];
    this.json = '';
    this.form = 'fields';
  }

  /** Returns the row of a problem about `metadata.<name>`: the last of that name. */
  rowNamed(name: string): number | null {
    return this.rows.findLast((row) => row.name.trim() === name)?.key ?? null;
  }

  /** Returns the fields to send. Empty ones are left out. */
  #fields(): MetadataField[] {
    const name: MetadataField[] = this.name.trim() === '' ? [] : [[NAME, this.name.trim()]];
    const rows = this.rows
      .filter(({ name, value }) => name.trim() !== '' || value !== '')
      .map(({ name, value }): MetadataField => [name.trim(), value]);
    return [...name, ...rows];
  }
}
