import Diagnostics
import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles

@Suite("where this machine gets its packages from")
struct AptSourceTests {
    @Test("the one-line format, with options, comments and what is no entry")
    func oneLine() {
        let text = """
            # deb https://old.example/debian bullseye main
            deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] https://mirror.example/debian bookworm main contrib # ours
            deb-src https://mirror.example/debian bookworm main

            deb https://too.short
            nonsense https://mirror.example/debian bookworm main
            """
        #expect(
            AptSource.parse(oneLine: text) == [
                AptSource(
                    uri: "https://mirror.example/debian", suites: ["bookworm"], components: ["main", "contrib"],
                    signedBy: "/usr/share/keyrings/a.gpg"),
                AptSource(uri: "https://mirror.example/debian", suites: ["bookworm"], components: ["main"]),
            ])
    }

    @Test("the deb822 format: several paragraphs, disabled ones, comments, several URIs")
    func deb822() {
        let text = """
            Types: deb
            # a comment between two fields
            URIs: https://one.example/debian https://two.example/debian
            Suites: bookworm bookworm-updates
            Components: main
            Signed-By: /usr/share/keyrings/a.gpg

            Types: deb
            Enabled: no
            URIs: https://off.example/debian
            Suites: bookworm
            Components: main
            """
        let suites = ["bookworm", "bookworm-updates"]
        #expect(
            AptSource.parse(deb822: text)
                == ["https://one.example/debian", "https://two.example/debian"].map {
                    AptSource(uri: $0, suites: suites, components: ["main"], signedBy: "/usr/share/keyrings/a.gpg")
                })
    }

    @Test("a key inside the entry keeps its lines")
    func inlineKey() {
        let text = "types: deb\nuris: https://a.example/\nsuites: x\ncomponents: main\nsigned-by:\n -----BEGIN\n .\n abc\n"
        #expect(AptSource.parse(deb822: text).first?.signedBy == "\n -----BEGIN\n .\n abc")
    }

    @Test("of all entries the one for Debian's main archive of the machine's own release is taken")
    func choice() throws {
        try withTemporaryFolder { folder in
            let parts = folder.appending("sources.list.d")
            try WorkFiles.makeFolder(folder.appending("sources.list.d"))
            try write("deb https://security.example/debian-security bookworm-security main\n", folder.appending("sources.list"))
            try write("deb https://vendor.example/apt cloud-bookworm main\n", parts.appending("a-vendor.list"))
            try write("Types: deb\nURIs: https://main.example/debian\nSuites: bookworm\nComponents: main\n", parts.appending("debian.sources"))
            try write("ignored: deb https://backup.example/debian bookworm main\n", parts.appending("debian.sources.bak"))
            let release = folder.appending("os-release")
            try write("ID=debian\nVERSION_CODENAME=\"bookworm\"\n", release)
            #expect(try AptSource.ofThisMachine(configuration: folder, release: release).uri == "https://main.example/debian")

            try write("ID=debian\nVERSION_CODENAME=trixie\n", release)
            let error = #expect(throws: StepError.self) { try AptSource.ofThisMachine(configuration: folder, release: release) }
            #expect(error?.message.contains("trixie") == true)

            try write("ID=fedora\n", release)
            #expect(throws: StepError.self) { try AptSource.ofThisMachine(configuration: folder, release: release) }
        }
    }

    private func write(_ text: String, _ path: FilePath) throws {
        try WorkFiles.writeAtomically(Array(text.utf8), to: path)
    }
}
