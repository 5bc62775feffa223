import { isRuleField } from '../../engine/session.js';
import { Composed } from './composed.js';
import type { Entry, ExceptionDefinition, RuleDefinition } from './definitions.js';
import { LoadError } from './diagnostics.js';
import { quoteItem } from './lists.js';

// Adds exceptions to the text of the rule's condition.

const listOperators = ['intersects', 'in', 'pmatch'];
const textOperators = [
  '==',
  '=',
  '!=',
  'glob',
  'iglob',
  'contains',
  'icontains',
  'bcontains',
  'startswith',
  'bstartswith',
  'endswith',
  'regex',
];
const operators = ['exists', '<=', '<', '>=', '>', ...textOperators, ...listOperators];
const modifiers = ['oneof', 'anyof', 'allof'];

/** Whether the operator takes a list: a list operator, or one with a modifier. */
function takesList(comparison: string): boolean {
  return listOperators.includes(comparison) || hasModifier(comparison);
}

function hasModifier(comparison: string): boolean {
  const [operator = '', modifier = '', ...rest] = comparison.split(/\s+/);
  return rest.length === 0 && textOperators.includes(operator) && modifiers.includes(modifier);
}

/** Fills in the defaults of an exception and checks that its fields and comps match. */
export function completeException(exception: ExceptionDefinition, isUnknownSource: boolean): void {
  const { fields, comps, place } = exception;
  const fail = (message: string): never => {
    throw new LoadError('LOAD_ERR_VALIDATE', message, place);
  };
  if (fields.isList ? fields.items.length === 0 : fields.item.text === '')
    fail('the exception has no fields');
  const isGiven = comps.isList ? comps.items.length > 0 : comps.item.text !== '';
  if (!isGiven) {
    comps.isList = fields.isList;
    comps.item = Composed.of(fields.isList ? '' : 'in');
    comps.items = fields.items.map(() => ({ isList: false, item: Composed.of('='), items: [] }));
    if (!fields.isList) comps.items = [];
  }
  const checkField = ({ item: { text } }: Entry) => {
    if (!isUnknownSource && !isRuleField(text)) fail(`there is no field '${text}'`);
  };
  if (!fields.isList) {
    if (comps.isList) fail('fields is a text, so comps must be a text too');
    trim(comps);
    const comparison = comps.item.text;
    if (!takesList(comparison))
      fail(
        `fields is a text, so comps must take a list (in, pmatch, intersects, or an operator with oneof, such as 'startswith oneof'), not '${comparison}'`,
      );
    checkField(fields);
    return;
  }
  if (fields.items.length !== comps.items.length)
    fail(`there are ${fields.items.length} fields and ${comps.items.length} comps`);
  for (const comparison of comps.items) {
    trim(comparison);
    const { text } = comparison.item;
    if (!operators.includes(text) && !hasModifier(text)) fail(`there is no operator '${text}'`);
  }
  fields.items.forEach(checkField);
}

function trim(entry: Entry): void {
  entry.item = Composed.of(entry.item.text.trim());
}

/** The rule's condition with its exceptions; throws LoadError if fields and values do not match. */
export function withExceptions({ condition, exceptions }: RuleDefinition): Composed {
  if (exceptions.length === 0) return condition;
  const all = Composed.of('(').appendAll(condition).append(')');
  for (const exception of exceptions) {
    const text = exception.fields.isList ? ofSeveralFields(exception) : ofOneField(exception);
    if (text !== undefined) all.append(' and not ').appendAll(text);
  }
  return all;
}

function ofOneField({ fields, comps, values, place }: ExceptionDefinition): Composed | undefined {
  if (values.length === 0) return undefined;
  const result = Composed.of('(').appendAll(fields.item).append(` ${comps.item.text} (`);
  for (const [index, value] of values.entries()) {
    if (value.isList)
      throw new LoadError(
        'LOAD_ERR_VALIDATE',
        'fields is a text, so values must contain only texts',
        place,
      );
    if (index > 0) result.append(', ');
    result.appendAll(quoteItem(value.item));
  }
  return result.append('))');
}

function ofSeveralFields({
  fields,
  comps,
  values,
  place,
}: ExceptionDefinition): Composed | undefined {
  if (values.length === 0) return undefined;
  const result = Composed.of('(');
  for (const [index, { items }] of values.entries()) {
    if (items.length !== fields.items.length) {
      throw new LoadError(
        'LOAD_ERR_VALIDATE',
        `there are ${fields.items.length} fields and ${items.length} values`,
        place,
      );
    }
    result.append(index === 0 ? '(' : ' or (');
    for (const [field, value] of items.entries()) {
      const comparison = (comps.items[field] as Entry).item.text;
      result.append(field === 0 ? ' ' : ' and  ').appendAll((fields.items[field] as Entry).item);
      result.append(` ${comparison} `).appendAll(textOf(value, comparison));
    }
    result.append(')');
  }
  return result.append(')');
}

function textOf(value: Entry, comparison: string): Composed {
  if (value.isList) {
    const result = Composed.of('(');
    for (const [index, { item }] of value.items.entries()) {
      if (index > 0) result.append(', ');
      result.appendAll(quoteItem(item));
    }
    return result.append(')');
  }
  if (!takesList(comparison)) return quoteItem(value.item);
  return value.item.text.startsWith('(')
    ? value.item
    : Composed.of('(').appendAll(value.item).append(')');
}
