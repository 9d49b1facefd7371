# Reads the shape of a C++ file without a compiler: its code alone, its functions, its classes.
import bisect
import re

TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<delimiter>[^\s()\\]{0,16})\(.*?\)(?P=delimiter)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE)
CLASS = re.compile(r"\b(class|struct|union)\b[^()=]*$")
CLASS_WITH_CALL = re.compile(
    r"\b(class|struct|union)\s+(alignas\s*\([^)]*\)|MR_\w+|\[\[.*?\]\])?\s*\w+")
CONTROL = re.compile(r"^\s*(if|for|while|switch|catch|do|else|try)\b")


def blank(text):
    """The same text as spaces; lines stay where they are."""
    return re.sub(r"[^\n]", " ", text)


def code_only(source):
    """The source with comments blanked and texts emptied; offsets and lines stay true."""

    def replace(match):
        token = match.group(0)
        if token.startswith("/"):
            return blank(token)
        return '"' + blank(token[1:-1]) + '"'

    return TOKENS.sub(replace, source)


def kind_of_block(head, inside_function):
    """What the text before an opening brace opens: 'namespace', 'class', 'function' or 'other'."""
    if inside_function:
        return "other"
    text = re.sub(r"^\s*((public|private|protected)\s*:|template\s*<[^{}]*?>(?=\s*\w))", "", head)
    if re.search(r"\bnamespace\b", text) or re.search(r'\bextern\s*"', text):
        return "namespace"
    if re.search(r"\benum\b", text):
        return "other"
    if CLASS.search(text) or (CLASS_WITH_CALL.match(text.strip()) and ")" not in text[-3:]):
        return "class"
    if ")" in text and not CONTROL.match(text) and not re.search(r"=\s*$", text):
        return "function"
    return "other"


def blocks(source):
    """Yields (kind, name, first line, last line, lines of the body) of each class and function."""
    code = DIRECTIVE.sub(lambda match: blank(match.group(0)), code_only(source))
    starts = [0] + [match.end() for match in re.finditer("\n", code)]
    line_of = lambda offset: bisect.bisect_right(starts, offset)  # noqa: E731
    stack = []
    head_start = 0
    depth = 0  # of parentheses: a ; or } inside them does not end a head
    for match in re.finditer(r"[{};()]", code):
        at, sign = match.start(), match.group(0)
        if sign == "(":
            depth += 1
        elif sign == ")":
            depth = max(0, depth - 1)
        elif sign == "{":
            head = code[head_start:at]
            inside = any(kind == "function" for kind, *_ in stack)
            kind = "other" if depth else kind_of_block(head, inside)
            first = head_start + len(head) - len(head.lstrip())
            stack.append((kind, head.strip(), first, at, depth))
            depth = 0
            if kind != "other":
                head_start = match.end()
        elif sign == "}" and stack:
            kind, head, first, opened, depth = stack.pop()
            if kind in ("class", "function"):
                name = re.sub(r"\s+", " ", head)[:60]
                body = line_of(at) - line_of(opened) - 1
                yield kind, name, line_of(first), line_of(at), body
            # An initialiser `member_{1}` belongs to the head of the constructor whose body follows.
            if kind != "other" or not is_part_of_head(code, head_start, match.end()):
                head_start = match.end()
        elif sign == ";" and depth == 0:
            head_start = match.end()


def is_part_of_head(code, head_start, end):
    """True when the block that ended is a brace initialiser after which its statement goes on."""
    rest = code[end : end + 200].lstrip()
    return rest[:1] in (",", "{", ")", "-") and ")" in code[head_start:end]
