import Report

/// A piece of a page: elements with the names below, and text, which is escaped. There is no other way to make one, so that nothing from
/// outside (a file's name, a patch, a symbol) can become markup.
///
/// The syntax is that of HTML's living standard, 13.1; attributes always have quotes.
package struct HTML: Sendable, Equatable {
    /// The markup.
    package private(set) var markup: String

    private init(markup: String) { self.markup = markup }

    /// An empty piece.
    package init() { markup = "" }

    /// Text as it is to be read. Control characters and those that change the direction of writing are shown as `\x1b` and `\u202e`.
    package init(text: String) { markup = Self.escaped(TextStyle().shown(text)) }

    /// Several pieces, one behind the other.
    package init(_ pieces: some Sequence<HTML>) { markup = pieces.map(\.markup).joined() }

    package enum Tag: String, Sendable {
        case html, head, body, meta, title, style, link
        case main, header, footer, nav, section, h1, h2, h3, p, div, span, a, ul, ol, li, dl, dt, dd, pre, code, details, summary, strong, mark
        case table, caption, colgroup, col, thead, tbody, tr, th, td
        case svg, g, rect, path, text

        /// Elements without content, which have no end tag.
        fileprivate var isVoid: Bool { [.meta, .link, .col].contains(self) }
    }

    package struct Attribute: Sendable {
        fileprivate var name: StaticString
        fileprivate var value: String

        /// - Parameter name: must be that of an attribute whose value is plain text, not of an event handler or an address.
        private init(_ name: StaticString, _ value: String) { (self.name, self.value) = (name, value) }

        package static func classes(_ values: CSSClass...) -> Self { Self("class", values.map(\.rawValue).joined(separator: " ")) }
        package static func id(_ value: String) -> Self { Self("id", value) }
        package static func lang(_ value: String) -> Self { Self("lang", value) }
        package static func name(_ value: String) -> Self { Self("name", value) }
        package static func content(_ value: String) -> Self { Self("content", value) }
        package static func charset(_ value: String) -> Self { Self("charset", value) }
        package static func httpEquiv(_ value: String) -> Self { Self("http-equiv", value) }
        package static func role(_ value: String) -> Self { Self("role", value) }
        package static func label(_ value: String) -> Self { Self("aria-label", value) }
        package static func labelledBy(_ id: String) -> Self { Self("aria-labelledby", id) }
        package static func scope(_ value: String) -> Self { Self("scope", value) }
        package static func columns(_ value: Int) -> Self { Self("colspan", "\(value)") }
        /// Makes a box that scrolls reachable with the keyboard.
        package static let focusable = Self("tabindex", "0")
        package static let open = Self("open", "")
        /// A place on this page.
        package static func href(to id: String) -> Self { Self("href", "#" + id) }
        /// A file below the page's own folder; each part of the path is encoded.
        package static func href(file path: [String]) -> Self { Self("href", path.map(percentEncoded).joined(separator: "/")) }
        /// A number of an SVG shape: its place or size, in pixels.
        package static func number(_ name: Geometry, _ value: Int) -> Self { Self(name.attribute, "\(value)") }
        package static func viewBox(width: Int, height: Int) -> Self { Self("viewBox", "0 0 \(width) \(height)") }
        /// The steps of an SVG path.
        package static func path(_ steps: String) -> Self { Self("d", steps) }
    }

    package enum Geometry: Sendable {
        case x, y, width, height, radius

        fileprivate var attribute: StaticString {
            switch self {
            case .x: "x"
            case .y: "y"
            case .width: "width"
            case .height: "height"
            case .radius: "rx"
            }
        }
    }

    /// An element with its content.
    package static func element(_ tag: Tag, _ attributes: [Attribute], _ content: HTML) -> HTML {
        let start = "<" + tag.rawValue + attributes.map { " \($0.name)=\"\(escaped(TextStyle().shown($0.value)))\"" }.joined() + ">"
        return HTML(markup: tag.isVoid ? start : start + content.markup + "</" + tag.rawValue + ">")
    }

    /// The page's style sheet, which is part of this program.
    static func style(_ sheet: StaticString) -> HTML { HTML(markup: "<style>\(sheet)</style>") }

    /// A mark that other programs find: a comment with that word.
    static func mark(_ word: StaticString) -> HTML { HTML(markup: "<!-- \(word) -->") }

    /// A whole document.
    static func document(_ html: HTML) -> String { "<!DOCTYPE html>\n" + html.markup + "\n" }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func percentEncoded(_ part: String) -> String {
        part.utf8.map { byte in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || "-_.~".utf8.contains(byte)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + String(byte >> 4, radix: 16, uppercase: true) + String(byte & 15, radix: 16, uppercase: true)
        }.joined()
    }
}

/// Writes pieces of a page as a list of elements, texts, conditions and loops.
@resultBuilder
package enum HTMLBuilder {
    package static func buildExpression(_ piece: HTML) -> HTML { piece }
    package static func buildExpression(_ text: String) -> HTML { HTML(text: text) }
    package static func buildBlock(_ pieces: HTML...) -> HTML { HTML(pieces) }
    package static func buildArray(_ pieces: [HTML]) -> HTML { HTML(pieces) }
    package static func buildOptional(_ piece: HTML?) -> HTML { piece ?? HTML() }
    package static func buildEither(first piece: HTML) -> HTML { piece }
    package static func buildEither(second piece: HTML) -> HTML { piece }
}

/// An element: `element(.p, .classes(.faint)) { "text" }`.
func element(_ tag: HTML.Tag, _ attributes: HTML.Attribute..., @HTMLBuilder content: () -> HTML = { HTML() }) -> HTML {
    HTML.element(tag, attributes, content())
}
