import Glibc
import Testing

@testable import SignOff

/// The colours of the style sheet, in both themes (WCAG 2.2, 1.4.3: 4.5 to 1 for text of ordinary size).
@Suite struct PageStyleTests {
    /// The variables of a theme: `ink` is the text's colour.
    private func colours(_ rule: Substring) -> [Substring: (Double, Double, Double)] {
        var result: [Substring: (Double, Double, Double)] = [:]
        for part in rule.split(whereSeparator: { ";{}\n".contains($0) }) {
            let words = part.split(separator: ":")
            guard words.count == 2, words[0].hasPrefix("--"), words[1].hasPrefix("#") else { continue }
            let digits = words[1].dropFirst(), wide = digits.count == 3 ? digits.map { "\($0)\($0)" }.joined() : String(digits)
            guard let value = UInt32(wide, radix: 16) else { continue }
            result[words[0].dropFirst(2)] = (Double(value >> 16 & 255), Double(value >> 8 & 255), Double(value & 255))
        }
        return result
    }

    private func luminance(_ colour: (Double, Double, Double)) -> Double {
        func linear(_ value: Double) -> Double {
            let part = value / 255
            guard part > 0.04045 else { return part / 12.92 }
            return pow((part + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2)
    }

    @Test func allTextCanBeRead() throws {
        let sheet = "\(PageStyle.sheet)"
        let dark = try #require(sheet.firstRange(of: "@media (prefers-color-scheme:dark)"))
        let end = try #require(sheet[dark.upperBound...].firstRange(of: "*{box-sizing"))
        for theme in [sheet[..<dark.lowerBound], sheet[dark.lowerBound..<end.lowerBound]] {
            let colours = colours(theme)
            #expect(colours.count == 13)
            for text in ["ink", "faint", "good", "bad", "warn", "note", "link"] {
                // Words with a colour of their own stand on the page and in boxes; instructions on the colours of changes.
                let grounds = ["paper", "box"] + (["ink", "faint"].contains(text) ? ["add", "del", "chg"] : [])
                for ground in grounds {
                    let x = luminance(try #require(colours[Substring(text)])), y = luminance(try #require(colours[Substring(ground)]))
                    #expect((max(x, y) + 0.05) / (min(x, y) + 0.05) >= 4.5, "\(text) on \(ground)")
                }
            }
        }
    }
}
