import Diagnostics
import SystemPackage
import Testing

@testable import SourcePatch

@Suite("Mails")
struct MailTextTests {
    static let before = "l1\nl2\n\tkey = \"é\";\nl4\nl5\n"
    static let patch =
        "Why.\n---\n xen/common/kernel.c | 2 +-\n\n" + GitOracleTests.header
        + "@@ -2,3 +2,3 @@ f()\n l2\n-\tkey = \"é\";\n+\tkey = \"id=1\";\n l4\n-- \n2.39.5\n"
    static let after = "l1\nl2\n\tkey = \"id=1\";\nl4\nl5\n"

    static func header(_ encoding: String?, type: String = "text/plain; charset=UTF-8") -> String {
        "From 0123456789abcdef Mon Sep 17 00:00:00 2001\nFrom: A <a@b.c>\nSubject: [PATCH] x\nMIME-Version: 1.0\nContent-Type: \(type)\n"
            + (encoding.map { "Content-Transfer-Encoding: \($0)\n" } ?? "") + "\n"
    }

    static func quotedPrintable(_ text: String) -> String {
        splitLines(Array(text.utf8)).map { line in
            var out = "", width = 0
            let body = trimmingLineEnd(line)
            for (index, byte) in zip(body.indices, body) {
                let isLast = index == body.endIndex - 1
                let plain = (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "=") || byte == 0x20 && !isLast
                let digits = String(byte, radix: 16, uppercase: true)
                let piece = plain ? String(UnicodeScalar(byte)) : "=" + (digits.count < 2 ? "0" : "") + digits
                // Short lines, so that there are soft line breaks.
                if width + piece.count > 20 {
                    out += "=\n"
                    width = 0
                }
                out += piece
                width += piece.count
            }
            return out + "\n"
        }.joined()
    }

    static func base64(_ text: String) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let bytes = Array(text.utf8)
        var out = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = Array(bytes[start..<min(start + 3, bytes.count)])
            let bits = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
            for index in 0..<4 { out.append(index <= part.count ? digits[bits >> (18 - 6 * index) & 63] : "=") }
            if start % 57 == 54 { out += "\n" }
        }
        return out + "\n"
    }

    static func multipart(_ parts: String..., type: String = "multipart/mixed", end: String = "--=_b--\n") -> String {
        header(nil, type: "\(type);\n boundary=\"=_b\"") + "This is a message in MIME format.\n" + parts.map { "--=_b\n\($0)" }.joined() + end
    }

    func tree() throws -> TestTree { try TestTree(["xen/common/kernel.c": Self.before]) }

    /// Mails, and a word of the refusal of each.
    static let refusals: [(String, String)] = {
        let quoted = quotedPrintable(patch), joined = quoted.replacing("=\n", with: ""), coded = base64(patch)
        var mails: [(String, String)] = []
        mails.append((header("x-uuencode") + patch, "x-uuencode"))
        mails.append((header("quoted-printable") + patch, "quoted-printable"))
        mails.append((header("quoted-printable") + quoted.replacing("=3D", with: "=ZZ"), "quoted-printable"))
        mails.append((header("quoted-printable") + "text=", "middle of a line"))
        mails.append((header("base64") + patch, "base64"))
        mails.append((header("base64") + coded + "_______\nA list's footer\n", "base64"))
        mails.append((header("base64") + base64("ab").replacing("=", with: ""), "cut short"))
        mails.append((header("8bit", type: "text/plain; charset=utf-8; format=flowed") + patch, "format=flowed"))
        mails.append((header("quoted-printable", type: "text/plain; format=Flowed; delsp=yes") + quoted, "format=flowed"))
        mails.append((header("8bit", type: "text/plain; charset=ISO-8859-1") + patch, "iso-8859-1"))
        mails.append((header("7bit", type: "text/plain; charset=utf-7") + patch, "utf-7"))
        mails.append((multipart("\n" + patch, end: ""), "cut short"))
        mails.append((multipart("\n" + patch, "\n" + patch), "2 parts with a patch"))
        mails.append((multipart("Content-Type: text/html\n\n" + patch), "HTML"))
        mails.append((header(nil, type: "multipart/mixed") + patch, "boundary"))
        mails.append((header("base64", type: "multipart/mixed; boundary=b") + patch, "base64"))
        mails.append((header("7bit\nContent-Transfer-Encoding: base64") + patch, "two encodings"))
        mails.append((joined, "=3D"))
        mails.append((header("7bit") + joined, "=3D"))
        mails.append((String(repeating: "Content-Type: message/rfc822\n\n", count: 50) + patch, "too deep"))
        return mails
    }()

    static let decodable: [String] = {
        let quoted = quotedPrintable(patch), coded = base64(patch), plain = "Content-Type: text/plain\n\nHello.\n"
        func withoutSeparator(_ mail: String) -> String { String(mail.split(separator: "\n", maxSplits: 1)[1]) }
        var mails = [header("7bit") + patch, header("8bit") + patch, header(nil) + patch]
        mails.append(header("quoted-printable") + quoted)
        mails.append(header("Quoted-Printable (as sent)") + quoted)
        mails.append((header("quoted-printable") + quoted).replacing("\n", with: "\r\n"))
        mails.append(header("quoted-printable") + quoted.replacing("\n", with: " \n"))
        mails.append(header("base64") + coded)
        mails.append(header("base64") + base64(patch.replacing("\n", with: "\r\n")))
        mails.append(withoutSeparator(header("base64") + coded))
        mails.append(multipart(plain, "Content-Type: text/x-patch; name=\"a.patch\"\nContent-Transfer-Encoding: base64\n\n" + coded))
        let html = "Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n=zz" + patch
        let text = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n" + quoted
        mails.append(multipart(text, html, type: "multipart/alternative"))
        mails.append(multipart("\n" + patch, "Content-Type: application/pgp-signature\n\n-----BEGIN PGP SIGNATURE-----\n", type: "multipart/signed"))
        mails.append(multipart("Content-Type: message/rfc822\n\n" + withoutSeparator(header("base64")) + coded))
        return mails
    }()

    @Test(
        "An encoded mail is decoded, exactly",
        arguments: decodable)
    func decoded(_ mail: String) throws {
        let result = try tree().apply(mail)
        #expect(result.files.map(\.plainText) == [Self.after])
    }

    @Test("Mails of one mbox each have an encoding of their own")
    func mbox() throws {
        let second = GitOracleTests.header + "@@ -3,3 +3,3 @@\n \tkey = \"id=1\";\n-l4\n+x = 4;\n l5\n"
        let third = GitOracleTests.header + "@@ -3,3 +3,3 @@\n \tkey = \"id=1\";\n-x = 4;\n+x = 5;\n l5\n"
        let cover = Self.header("base64") + Self.base64("Three patches.\n")
        let mbox = [
            cover, Self.header("quoted-printable") + Self.quotedPrintable(Self.patch), Self.header("8bit") + second, Self.header("base64") + Self.base64(third),
        ].joined(separator: "\n")
        #expect(try tree().apply(mbox).files.first?.plainText == Self.after.replacing("l4", with: "x = 5;"))
    }

    @Test(
        "A mail that can't be read exactly is refused by name",
        arguments: refusals)
    func refused(_ mail: String, _ word: String) throws {
        let error = try #require(try tree().refusal(mail))
        #expect(error.exitCode == .patchDoesNotApply)
        #expect(error.message.contains(word), "\(error.message)")
        if case .mail = error.reason { #expect(error.help != nil) } else { Issue.record("\(error.message)") }
    }

    @Test("A charset does not matter to a patch that is ASCII, and neither does 'format=flowed' to a mail without a patch")
    func harmless() throws {
        let patch = Self.patch.replacing("é", with: "e"), tree = try TestTree(["xen/common/kernel.c": Self.before.replacing("é", with: "e")])
        let latin = Self.header("8bit", type: "text/plain; charset=iso-8859-15") + patch
        #expect(try tree.apply(latin).files.count == 1)
        let flowed = Self.header("8bit", type: "text/plain; format=flowed") + "Hello.\n\n"
        #expect(try tree.apply(flowed + Self.header("8bit") + patch).files.count == 1)
    }

    @Test("A line of a decoded text is called one; text that only looks like a mail stays as it is")
    func places() throws {
        let wrong = Self.header("quoted-printable") + Self.quotedPrintable(Self.patch.replacing("l2", with: "no"))
        let error = try #require(try tree().refusal(wrong))
        #expect(error.isDecoded && error.message.contains("line 8 of the decoded text"))
        let prose = "Description: encodings\nAuthor: A\n\nContent-Transfer-Encoding: base64\nFrom here on\nit: goes on\n\n" + Self.patch
        #expect(try tree().apply(prose).files.count == 1)
        #expect(try MailText.decoded(Array(prose.utf8), from: "x") == nil)
    }

    @Test("A patch whose own text has '=3D' beside plain '=' applies")
    func literal() throws {
        let patch = Self.patch.replacing("id=1", with: "id=3D1").replacing(" l4\n", with: "+x = 1;\n l4\n").replacing("+2,3", with: "+2,4")
        #expect(try tree().apply(patch).files.first?.plainText.contains("id=3D1") == true)
    }
}
