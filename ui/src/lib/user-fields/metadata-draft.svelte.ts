import type { MetadataInput } from '../../generated/types';
import { fieldsToJson, jsonToFields, type MetadataField } from './metadata';

type Row = { key: number; name: string; value: string };

const WHY_STILL_JSON = {
  unreadable: 'This is not JSON yet, so it cannot be shown as fields.',
  not_an_object: 'This is not an object with members, so it cannot be shown as fields.',
  not_all_texts: 'Some values are not texts. Fields hold texts only, so this stays JSON.',
};

/** Metadata while it is edited: as rows of name and value, or as JSON. */
export class MetadataDraft {
  rows = $state<Row[]>([]);
  json = $state('');
  form = $state<'fields' | 'json'>('fields');
  /** Why the JSON could not become fields when that was asked for. */
  #reason = $state<{ json: string; text: string } | null>(null);
  #nextKey = 0;

  /** Until the JSON is changed. */
  get reason(): string | null {
    return this.#reason?.json === this.json ? this.#reason.text : null;
  }

  get input(): MetadataInput {
    return this.form === 'json'
      ? { kind: 'json', text: this.json }
      : { kind: 'fields', fields: this.#fields() };
  }

  /** Adds an empty row and answers with its key. */
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

  /** Answers whether the JSON could become fields. */
  editAsFields(): boolean {
    const read = jsonToFields(this.json);
    if ('reason' in read) {
      this.#reason = { json: this.json, text: WHY_STILL_JSON[read.reason] };
      return false;
    }
    this.rows = [];
    for (const [name, value] of read.fields) this.add(name, value);
    this.form = 'fields';
    return true;
  }

  /** The row that a problem about `metadata.<name>` is about: the last of that name. */
  rowNamed(name: string): number | null {
    return this.rows.findLast((row) => row.name.trim() === name)?.key ?? null;
  }

  /** A row with nothing in it is not sent: it is only not filled in yet. */
  #fields(): MetadataField[] {
    return this.rows
      .filter(({ name, value }) => name.trim() !== '' || value !== '')
      .map(({ name, value }) => [name.trim(), value]);
  }
}
