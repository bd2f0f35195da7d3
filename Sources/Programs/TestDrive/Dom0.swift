import Diagnostics
import SystemPackage
import WorkFiles

/// A Linux that runs as Xen's first domain: Debian's own kernel, and an initramfs with busybox and Xen's tools.
package struct Dom0: Sendable, Equatable {
    package var kernel: FilePath
    /// The initramfs without a scenario; `Boot` appends the scenario's archive.
    package var initramfs: FilePath
    /// The name of the kernel's package, such as `linux-image-6.1.0-50-amd64`.
    package var kernelPackage: String
    /// The machine that it runs on.
    package var machine: TargetMachine

    package init(kernel: FilePath, initramfs: FilePath, kernelPackage: String, machine: TargetMachine = .x86_64) {
        self.kernel = kernel
        self.initramfs = initramfs
        self.kernelPackage = kernelPackage
        self.machine = machine
    }

    /// Programs of `xen-utils` that scenarios can use, if the suite has them. It must have `xen-livepatch`.
    static let programs = ["xen-livepatch", "xl", "xen-diag", "xen-hptool", "xen-cpuid", "xenstored"]

    /// The dom0 of a suite of Debian, for the archive's architecture: from the cache, or made from packages (a download of about 80 MB).
    ///
    /// Throws `StepError` for an architecture that can't be booted here, and when the archive lacks a package that it needs.
    package static func ofDebian(_ archive: DebianArchive) async throws -> Dom0 {
        let cache = archive.cache
        let machine = try TargetMachine.ofDebian(archive.architecture)
        let folder = try await cache.folder("dom0-\(archive.label)", recipe: recipe) { folder in
            let lists = try await archive.lists()
            cache.tell("fetching a kernel and Xen's tools from Debian \(archive.suite) for the dom0")
            let kernel = try await kernelPackage(lists, archive, machine)
            let tools = try await toolsPackages(lists)
            let root = folder.appending("root")
            try WorkFiles.makeFolder(root)
            try await lists.unpack(["busybox-static", kernel] + tools, into: root)
            try await assemble(from: try UnpackedPackages(root: root), into: folder)
            try WorkFiles.writeAtomically(Array(kernel.utf8), to: folder.appending("kernel-package"))
            try WorkFiles.remove(root)
        }
        return try Dom0(folder, machine: machine)
    }

    /// The dom0 of a suite if it is in the cache already; nil if not. Throws `WorkFileError`, and `StepError` for an architecture that can't
    /// be booted here.
    static func existing(_ archive: DebianArchive) throws -> Dom0? {
        let machine = try TargetMachine.ofDebian(archive.architecture)
        return try archive.cache.existing("dom0-\(archive.label)", recipe: recipe).map { try Dom0($0, machine: machine) }
    }

    private init(_ folder: FilePath, machine: TargetMachine) throws(WorkFileError) {
        self.init(
            kernel: folder.appending("vmlinuz"), initramfs: folder.appending("initramfs"),
            kernelPackage: try WorkFiles.readText(folder.appending("kernel-package")), machine: machine)
    }

    /// The actual kernel package: the package whose name has only the flavour depends on it.
    private static func kernelPackage(
        _ lists: DebianArchive.Lists, _ archive: DebianArchive, _ machine: TargetMachine
    ) async throws -> String {
        let newest = "linux-image-\(machine.kernelFlavour)"
        guard let kernel = try await lists.dependencies(of: newest).first(where: { $0.hasPrefix("linux-image-") }) else {
            throw StepError("\(newest) of Debian \(archive.suite) depends on no kernel")
        }
        return kernel
    }

    /// The package with Xen's tools, and every library package that it needs directly or through another package.
    private static func toolsPackages(_ lists: DebianArchive.Lists) async throws -> [String] {
        let versioned = try await lists.binaries(ofSource: "xen").filter { name in
            name.hasPrefix("xen-utils-") && name.dropFirst("xen-utils-".count).allSatisfy { $0.isNumber || $0 == "." }
        }
        guard var packages = versioned.first.map({ [$0] }) else { throw StepError("Debian's xen has no package xen-utils-VERSION") }
        packages.append("xenstore-utils")
        var next = 0
        while next < packages.count {
            // The initramfs needs none of what only the scripts use: Python, udev and so on.
            packages += try await lists.dependencies(of: packages[next]).filter {
                ($0.hasPrefix("lib") || $0 == "zlib1g") && !packages.contains($0)
            }
            next += 1
        }
        return packages
    }

    private static func assemble(from packages: UnpackedPackages, into folder: FilePath) async throws {
        try WorkFiles.writeAtomically(try packages.read(packages.path(where: { $0.hasPrefix("boot/vmlinu") })), to: folder.appending("vmlinuz"))
        var archive = CpioArchive()
        for name in ["dev", "proc", "sys", "run", "tmp", "payloads", "var/lib/xen", "var/run/xen", "var/lock", "sbin", "usr/bin", "usr/sbin"] {
            archive.addFolder(name)
        }
        archive.addCharacterDevice("dev/console", major: 5, minor: 1)
        archive.addFile("bin/busybox", try packages.read(packages.path(named: "busybox")), executable: true)
        archive.addSymbolicLink("bin/sh", to: "busybox")
        // xl complains when this file is missing.
        archive.addFile("etc/xen/xl.conf", [])
        archive.addFile("init", Array(initScript.utf8), executable: true)
        archive.addFile("lib/modules/xen-privcmd.ko", try await packages.module("xen-privcmd"))

        var programs: [String] = []
        for name in Self.programs {
            guard let path = try? packages.path(named: name) else {
                if name == "xen-livepatch" { throw StepError("\(packages.root) has no \(name)") }
                continue
            }
            programs.append(path)
            archive.addFile("bin/\(name)", try packages.read(path), executable: true)
        }
        for (destination, path) in try await packages.libraries(of: programs) {
            archive.addFile(destination, try packages.read(path), executable: true)
        }
        try WorkFiles.writeAtomically(archive.finished(), to: folder.appending("initramfs"))
    }

    /// What the cached dom0 depends on, apart from the packages.
    /// Increase the number when `assemble` puts other files in.
    private static var recipe: String { "2 " + programs.joined(separator: " ") + "\n" + initScript }

    /// The first process. It mounts file systems, loads the module, runs the scenario's steps one by one between marks that `Console`
    /// understands, and switches the machine off.
    ///
    /// A step's end mark begins on a line of its own, whether or not the step's output ended with a line break. Without privcmd the script runs
    /// no step: the host tool of Xen 4.14 and later ends with 0 when it can't reach the hypervisor.
    private static let initScript = """
        #!/bin/sh
        /bin/busybox --install -s /bin
        export PATH=/bin HOME=/ TERM=dumb
        mount -t proc none /proc
        mount -t sysfs none /sys
        mount -t devtmpfs none /dev
        mount -t tmpfs none /run
        insmod /lib/modules/xen-privcmd.ko
        mount -t xenfs none /proc/xen 2>/dev/null
        if [ ! -c /dev/xen/privcmd ]; then
            echo
            echo "@@scenario without /dev/xen/privcmd"
            sync
            exec poweroff -f
        fi
        ip link set lo up
        cd /payloads
        echo "@@scenario begin"
        for step in /scenario/*; do
            id=${step##*/}
            id=${id#*-}
            echo "@@step $id begin"
            (exec sh "$step") </dev/null 2>&1
            code=$?
            echo
            echo "@@step $id end $code"
        done
        echo "@@scenario end"
        sync
        poweroff -f

        """
}
