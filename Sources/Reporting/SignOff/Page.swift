import Report

/// The frame that all pages have.
struct Page {
    var title: String
    /// What stands below the title, before the sections.
    var heading: HTML
    var sections: [Section]
    var footer: String

    /// A part of a page with a heading of its own.
    struct Section {
        /// Identifies it on the page.
        var id: String
        var title: String
        var content: HTML

        init(_ id: String, _ title: String, @HTMLBuilder content: () -> HTML) {
            (self.id, self.title, self.content) = (id, title, content())
        }
    }

    /// Nothing is fetched, nothing runs, and no form leads anywhere: only the page's own style sheet counts (CSP level 3).
    private static var policy: String { "default-src 'none'; style-src '\(PageStyle.hash)'; base-uri 'none'; form-action 'none'" }

    private static var generator: HTML { element(.meta, .name("generator"), .content(BuildReport.generatorName)) }

    /// What all documents have near their beginning.
    static var mark: String { generator.markup }

    /// The whole document.
    var document: String {
        HTML.document(
            element(.html, .lang("en")) {
                element(.head) {
                    element(.meta, .charset("utf-8"))
                    element(.meta, .httpEquiv("Content-Security-Policy"), .content(Self.policy))
                    element(.meta, .name("viewport"), .content("width=device-width, initial-scale=1"))
                    element(.meta, .name("referrer"), .content("no-referrer"))
                    Self.generator
                    element(.title) { title }
                    HTML.style(PageStyle.sheet)
                }
                element(.body) {
                    element(.header) {
                        element(.h1) { title }
                        heading
                        element(.nav, .label("Parts of this page")) {
                            element(.ul) {
                                for section in sections { element(.li) { element(.a, .href(to: section.id)) { section.title } } }
                            }
                        }
                    }
                    element(.main) {
                        for section in sections { section.html }
                    }
                    element(.footer) { element(.p) { footer } }
                }
            })
    }
}

extension Page.Section {
    fileprivate var html: HTML {
        element(.section, .id(id), .labelledBy(id + "-title")) {
            element(.h2, .id(id + "-title")) { title }
            content
        }
    }
}

/// Facts as a list of terms and what they are.
///
/// - Parameter facts: those without a value are left out.
func facts(_ facts: [(term: String, value: HTML?)]) -> HTML {
    guard facts.contains(where: { $0.value != nil }) else { return HTML() }
    return element(.dl) {
        for (term, value) in facts {
            if let value {
                element(.dt) { term }
                element(.dd) { value }
            }
        }
    }
}

/// A name, a number or a path in the type of code.
func literal(_ text: String) -> HTML { element(.code) { text } }

/// A table with headings, in a box that scrolls where the screen is narrow.
///
/// - Parameters:
///   - caption: says what the table has; read by screen readers first.
///   - hasRowTitles: whether the first cell of a row says what the row is.
func table(_ caption: String, _ columns: [Column], hasRowTitles: Bool = false, rows: [[HTML]]) -> HTML {
    element(.div, .classes(.scroll), .role("region"), .label(caption), .focusable) {
        element(.table) {
            element(.caption) { caption }
            element(.thead) {
                element(.tr) { for column in columns { HTML.element(.th, [.scope("col")] + column.attributes, HTML(text: column.title)) } }
            }
            element(.tbody) {
                for row in rows {
                    element(.tr) {
                        for (index, (column, cell)) in zip(columns, row).enumerated() {
                            let isTitle = hasRowTitles && index == 0
                            HTML.element(isTitle ? .th : .td, (isTitle ? [.scope("row")] : []) + column.attributes, cell)
                        }
                    }
                }
            }
        }
    }
}

/// A column of a table.
struct Column {
    var title: String
    var isNumber = false

    init(_ title: String, isNumber: Bool = false) { (self.title, self.isNumber) = (title, isNumber) }

    fileprivate var attributes: [HTML.Attribute] { isNumber ? [.classes(.number)] : [] }
}
