/// The text of a generated file. With labels, each static variable of a function has an assembler name of its own, `tv_NUMBER`, and a line
/// has the same content otherwise: so the relocations of the compiled text say which variable is meant.
package struct TortureText {
    private let file: TortureFile
    private let withLabels: Bool
    private let names: [Int: String]
    private let variables: [Int: TortureVariable]
    private var lines: [String] = []
    /// The line number of each static variable's declaration, from 1, by the variable's number.
    package private(set) var declarations: [Int: Int] = [:]

    /// The assembler name of a labelled variable.
    package static func label(_ id: Int) -> String { "tv_\(id)" }

    /// The source.
    package static func source(_ file: TortureFile, withLabels: Bool = false) -> TortureText {
        var text = TortureText(file, withLabels)
        text.writeSource()
        return text
    }

    /// The header.
    package static func header(_ file: TortureFile, withLabels: Bool = false) -> TortureText {
        var text = TortureText(file, withLabels)
        text.writeHeader()
        return text
    }

    /// A statement, as it would stand at the start of a line.
    package static func statement(_ statement: TortureStatement, of function: TortureFunction, in file: TortureFile) -> String {
        var text = TortureText(file, false)
        text.write(statement, indent: "", function)
        return text.text
    }

    package var text: String { lines.joined(separator: "\n") + "\n" }

    private init(_ file: TortureFile, _ withLabels: Bool) {
        (self.file, self.withLabels) = (file, withLabels)
        names = Dictionary(file.functions.map { ($0.id, $0.name) }) { first, _ in first }
        variables = Dictionary(file.allVariables.map { ($0.id, $0) }) { first, _ in first }
    }

    // MARK: Files

    private mutating func writeSource() {
        let number = file.label
        lines = ["#include <xen/torture.h>", "#include <xen/torture_\(number).h>", ""]
        for function in file.functions { lines.append(signature(function, isPrototype: true) + ";") }
        lines.append("")
        for variable in file.variables { declare(variable, indent: "", isLocal: false) }
        for function in file.functions {
            lines.append("")
            for number in 0..<function.comments { lines.append("/* Remark \(number) on \(function.name). */") }
            lines.append(signature(function, isPrototype: false))
            lines += ["{", "    unsigned long i = 0;"]
            write(function.body, indent: "    ", function)
            lines += ["    return r + i;", "}"]
        }
    }

    private mutating func writeHeader() {
        let number = file.label
        lines = ["#ifndef TORTURE_\(number)_H", "#define TORTURE_\(number)_H", "#include <xen/torture.h>", ""]
        lines += ["#define TORTURE_\(number)_MACRO(x) ((x) * \(file.header.macro) + 1)", "", "struct torture_\(number) {"]
        for member in file.header.members { lines.append("    unsigned long m\(member);") }
        lines += ["};"]
        for inline in file.header.inlines {
            lines += ["", "static inline unsigned long torture_\(number)_inline\(inline.id)(unsigned long x)", "{"]
            if let counter = inline.counter {
                declare(counter, indent: "    ", isLocal: true)
                lines.append("    \(counter.name) += x;")
            }
            lines += ["    return x * \(inline.constant)\(inline.counter.map { " + \($0.name)" } ?? "");", "}"]
        }
        lines += ["#endif"]
    }

    private func signature(_ function: TortureFunction, isPrototype: Bool) -> String {
        let attribute = isPrototype && function.attribute != .alwaysInline ? "" : function.attribute.rawValue
        return "\(function.isStatic ? "static " : "")\(attribute)unsigned long \(function.name)(unsigned long a, unsigned long r)"
    }

    // MARK: Variables

    private mutating func declare(_ variable: TortureVariable, indent: String, isLocal: Bool) {
        let label = withLabels && isLocal ? " asm(\"\(Self.label(variable.id))\")" : ""
        let start = isLocal || variable.isStatic ? "static " : ""
        let place = variable.section.rawValue
        let text =
            switch variable.form {
            case .scalar(let value): "\(variable.type) \(variable.name)\(label)\(place)\(value.map { " = \($0)" } ?? "")"
            case .array(let count, let values):
                "\(variable.type) \(variable.name)[\(count)]\(label)\(place)\(values.isEmpty ? "" : " = { \(list(values)) }")"
            case .constants(let values): "const \(variable.type) \(variable.name)[\(values.count)]\(label) = { \(list(values)) }"
            case .strings(let texts):
                "const char *const \(variable.name)[\(texts.count)]\(label) = { \(texts.map { "\"\($0)\"" }.joined(separator: ", ")) }"
            case .functions(let ids):
                "unsigned long (*const \(variable.name)[\(ids.count)])(unsigned long a, unsigned long r)\(label) = "
                    + "{ \(ids.map { names[$0] ?? "unknown_\($0)" }.joined(separator: ", ")) }"
            case .labels(let arms): "const void *const \(variable.name)[\(arms.count)]\(label) = { \(arms.map { "&&arm_\($0)" }.joined(separator: ", ")) }"
            case .structure: "struct torture_\(file.label) \(variable.name)\(label)\(place)"
            }
        lines.append("\(indent)\(start)\(text);")
        declarations[variable.id] = lines.count
    }

    private func list(_ values: [Int]) -> String { values.map(String.init).joined(separator: ", ") }

    // MARK: Statements

    private mutating func write(_ block: TortureBlock, indent: String, _ function: TortureFunction) {
        for variable in block.variables { declare(variable, indent: indent, isLocal: true) }
        for statement in block.statements { write(statement, indent: indent, function) }
    }

    private mutating func add(_ indent: String, _ new: String...) { lines += new.map { indent + $0 } }

    private mutating func write(_ statement: TortureStatement, indent: String, _ function: TortureFunction) {
        let c = statement.constant, number = file.label
        switch statement.kind {
        case .scalar(let id, let form): writeScalar(id, form, c, indent)
        case .array(let id, let form): writeArray(id, form, c, indent)
        case .table(let id):
            guard let table = variables[id] else { return }
            switch table.form {
            case .constants(let values): add(indent, "r += \(table.name)[(a + \(c)) % \(values.count)];")
            case .strings(let texts): add(indent, "printk(\"%s %lu\\n\", \(table.name)[a % \(texts.count)], r);")
            case .functions(let ids): add(indent, "if ( r == \(c) )", "    r += \(table.name)[a % \(ids.count)](a, r);")
            default: break
            }
        case .dispatch(let table, let arms):
            add(indent, "{")
            declare(table, indent: indent + "    ", isLocal: true)
            add(indent, "    goto *\(table.name)[a % \(max(arms.count, 1))];")
            for (index, arm) in arms.enumerated() {
                add(indent, " arm_\(arm):", "    r = r * \(c + index) + a;", "    if ( r > \(c) )", "        goto end_\(statement.id);")
            }
            add(indent, " end_\(statement.id):", "    r ^= \(c);", "}")
        case .print(let text): add(indent, "printk(\"\(text) \(c) %lu\\n\", r);")
        case .functionName: add(indent, "printk(\"%s: %lu\\n\", __func__, r + \(c));")
        case .call(let id): add(indent, "r ^= \(names[id] ?? "unknown_\(id)")(a + \(c), r);")
        case .choice(let values):
            add(indent, "switch ( a )", "{")
            for (index, value) in values.enumerated() { add(indent, "case \(index): r += \(value); break;") }
            add(indent, "default: r ^= \(c); break;", "}")
        case .bug: add(indent, "BUG_ON(r == \(c));")
        case .warn: add(indent, "WARN_ON(a == \(c));")
        case .assertion: add(indent, "ASSERT(r != \(c));")
        case .alternative: add(indent, "TORTURE_ALTERNATIVE(\(c));")
        case .exception: add(indent, "TORTURE_PROBE(r);")
        case .inline(let id): add(indent, "r += torture_\(number)_inline\(id)(a ^ \(c));")
        case .macro: add(indent, "r ^= TORTURE_\(number)_MACRO(a + \(c));")
        case .member(let id, let own):
            let box = own ? file.variables.first { $0.form == .structure }?.name : nil
            add(indent, box.map { "\($0).m\(id) += r;" } ?? "r += ((struct torture_\(number) *)torture_any)->m\(id) + \(c);")
        case .nested(let block):
            add(indent, "if ( a > \(c) )", "{")
            write(block, indent: indent + "    ", function)
            add(indent, "}")
        }
    }

    private mutating func writeScalar(_ id: Int, _ form: Int, _ c: Int, _ indent: String) {
        let v = variables[id]?.name ?? "unknown_\(id)"
        switch form {
        case 0: add(indent, "\(v) += a;")
        case 1: add(indent, "r ^= \(v);")
        case 2: add(indent, "r += ++\(v);")
        case 3: add(indent, "if ( \(v) > a )", "    r += \(v) + \(c);")
        case 4: add(indent, "\(v) = r;")
        case 5: add(indent, "r += torture_see(&\(v));")
        default: add(indent, "\(v) = \(v) * \(c) + r;")
        }
    }

    private mutating func writeArray(_ id: Int, _ form: Int, _ c: Int, _ indent: String) {
        guard let array = variables[id], case .array(let count, _) = array.form else { return }
        let v = array.name, k = c % 3 + 1
        switch form {
        case 0: add(indent, "for ( i = \(k); i < \(count); i++ )", "    r += \(v)[i - \(k)];")
        case 1: add(indent, "if ( a >= \(k) && a < \(count + k) )", "    r += \(v)[a - \(k)];")
        case 2: add(indent, "if ( a >= \(k) && a < \(count + k) )", "    \(v)[a - \(k)] += r;")
        case 3: add(indent, "for ( i = 1; i <= \(count); i++ )", "    \(v)[i - 1] += a;")
        case 4: add(indent, "if ( a < \(count - min(k, count - 1)) )", "    r ^= \(v)[a + \(min(k, count - 1))];")
        case 5:
            add(indent, "{", "    \(array.type) *p;", "    for ( p = \(v); p < \(v) + \(count); p++ )", "        r ^= *p;", "}")
        case 6:
            add(indent, "{", "    \(array.type) *p;", "    for ( p = \(v) + \(count); p-- > \(v); )", "        *p = r++;", "}")
        case 7: add(indent, "r += torture_see(\(v) + \(count));")
        case 8: add(indent, "r += \(v)[a % \(count)]++;")
        default:
            // The compiler begins with an address before the array, which lies in its neighbour.
            add(indent, "{", "    int j;", "    for ( j = \(k); j < \(count + k); j++ )", "        if ( \(v)[j - \(k)] == a )", "        {")
            add(indent, "            \(v)[j - \(k)] = r;", "            printk(\"%d\\n\", j);", "        }", "}")
        }
    }
}
