import { join } from 'node:path';
import ts from 'typescript';
import { root } from './run.mjs';

/** The reference of the library, from the types and comments of what src/index.ts exports. */
export function apiPage() {
  const entry = join(root, 'src', 'index.ts');
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram([entry], options);
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry));
  const exported = checker.getExportsOfModule(module).map((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return { name: symbol.name, symbol: target, declaration: target.declarations[0] };
  });
  exported.sort((a, b) => (a.name < b.name ? -1 : 1));
  refuseHiddenTypes(checker, exported);

  const groups = [
    ['Classes', ts.isClassDeclaration],
    ['Functions', ts.isFunctionDeclaration],
    ['Interfaces', ts.isInterfaceDeclaration],
    ['Types', ts.isTypeAliasDeclaration],
    ['Values', ts.isVariableDeclaration],
  ];
  const sections = groups.map(([title, fits]) => {
    const entries = exported.filter(({ declaration }) => fits(declaration)).map((item) => describe(checker, item));
    return `## ${title}\n\n${entries.join('\n\n')}`;
  });
  const head = `# The library's types

Made by scripts/docs.mjs from the types of \`src/index.ts\`: do not edit. How to use them: [library.md](library.md).
`;
  return `${head}\n${sections.join('\n\n')}\n`;
}

function describe(checker, { name, symbol, declaration }) {
  const parts = [`### ${name}`];
  const text = docOf(checker, symbol);
  if (text) parts.push(text);
  if (ts.isFunctionDeclaration(declaration)) {
    parts.push(code(`${name}${signatureOf(declaration)}`));
  } else if (ts.isTypeAliasDeclaration(declaration)) {
    parts.push(code(`type ${name} = ${flat(withoutComments(declaration.type.getText()))}`));
    // Another name for an interface that has no page of its own.
    const target = checker.getTypeAtLocation(declaration.type).symbol?.declarations?.[0];
    if (target !== undefined && ts.isInterfaceDeclaration(target) && ts.isTypeReferenceNode(declaration.type)) {
      const rows = target.members.map((member) => row(checker, member));
      parts.push(`| member | type | meaning |\n| --- | --- | --- |\n${rows.join('\n')}`);
    }
  } else if (ts.isVariableDeclaration(declaration)) {
    const type = checker.typeToString(checker.getTypeOfSymbol(symbol));
    parts.push(code(`const ${name}: ${shortened(type)}`));
  } else {
    const base = (declaration.heritageClauses ?? []).map((clause) => clause.getText()).join(' ');
    if (base) parts.push(`\`${flat(base)}\``);
    const rows = declaration.members.filter(isPublic).map((member) => row(checker, member));
    if (rows.length > 0) parts.push(`| member | type | meaning |\n| --- | --- | --- |\n${rows.join('\n')}`);
  }
  return parts.join('\n\n');
}

/** Throws where a type of the project is named that the library does not export: nobody could look it up. */
function refuseHiddenTypes(checker, exported) {
  const known = new Set(exported.map(({ symbol }) => symbol));
  const hidden = new Set();
  const visit = (node, owner) => {
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node) || ts.isTypeQueryNode(node)) {
      const name = node.typeName ?? node.expression ?? node.exprName;
      const symbol = resolved(checker, name);
      const isOurs = symbol?.declarations?.some(({ parent }) => ts.isSourceFile(parent) && isSource(parent));
      if (isOurs && !known.has(symbol)) hidden.add(`${name.getText()} (of ${owner})`);
    }
    ts.forEachChild(node, (child) => visit(child, owner));
  };
  for (const { name, declaration } of exported) {
    for (const part of publicParts(declaration)) visit(part, name);
  }
  if (hidden.size > 0)
    throw new Error(`src/index.ts does not export what the library names: ${[...hidden].join(', ')}`);
}

function resolved(checker, name) {
  const symbol = checker.getSymbolAtLocation(name);
  return symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

const isSource = ({ fileName }) => fileName.startsWith(join(root, 'src').replaceAll('\\', '/'));

/** The types of a declaration that a page shows. */
function publicParts(declaration) {
  const typesOf = (node) => [node.type, ...(node.parameters ?? []).map(({ type }) => type)].filter(Boolean);
  // A list of names that the type is made of is shown as its values.
  if (ts.isVariableDeclaration(declaration)) return typesOf(declaration);
  if (ts.isTypeAliasDeclaration(declaration))
    return declaration.type.getText().startsWith('(typeof') ? [] : [declaration.type];
  if (ts.isFunctionDeclaration(declaration)) return typesOf(declaration);
  const members = declaration.members.filter(isPublic);
  return [...(declaration.heritageClauses ?? []), ...members.flatMap(typesOf)];
}

function isPublic(member) {
  if (ts.getJSDocTags(member).some(({ tagName }) => tagName.text === 'internal')) return false;
  if (member.name !== undefined && ts.isPrivateIdentifier(member.name)) return false;
  return !(ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private);
}

function row(checker, member) {
  const symbol = member.symbol ?? checker.getSymbolAtLocation(member.name);
  const name = ts.isConstructorDeclaration(member) ? 'new' : member.name.getText();
  const optional = member.questionToken ? '?' : '';
  const isCallable =
    ts.isMethodDeclaration(member) || ts.isMethodSignature(member) || ts.isConstructorDeclaration(member);
  const type = isCallable
    ? signatureOf(member)
    : (member.type?.getText() ?? checker.typeToString(checker.getTypeOfSymbol(symbol)));
  return `| \`${name}${optional}\` | \`${cell(type)}\` | ${cell(docOf(checker, symbol))} |`;
}

function signatureOf(declaration) {
  const parameters = declaration.parameters.map((parameter) => flat(parameter.getText())).join(', ');
  const result = declaration.type ? `: ${flat(declaration.type.getText())}` : '';
  return `(${parameters})${result}`;
}

function docOf(checker, symbol) {
  return ts.displayPartsToString(symbol?.getDocumentationComment(checker) ?? []).trim();
}

const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, '');
/** A long list of values, cut after one of them. */
const shortened = (text) => (text.length > 200 ? `${text.slice(0, text.lastIndexOf(', ', 200))}, ...` : text);
const flat = (text) => text.replace(/\s+/g, ' ').replaceAll(' | undefined', '');
const cell = (text) => flat(text).replaceAll('|', '\\|');
const code = (text) => `\`\`\`ts\n${text}\n\`\`\``;
