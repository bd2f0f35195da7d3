import CXattr
import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A way in which somebody else can change what a folder holds. root always can, and does not count.
package enum ForeignAccess: Sendable, Equatable, CustomStringConvertible {
    /// Another user owns it.
    case owner(String)
    case everybody
    /// The members of a group other than this user.
    case group(String)
    /// An access control list (acl(5)), whose entries this program does not read, lets somebody write.
    case list

    package var description: String {
        switch self {
        case .owner(let name): "belongs to user \(name)"
        case .everybody: "can be written to by every user"
        case .group(let name): "can be written to by group \(name)"
        case .list: "can be written to through an access control list"
        }
    }
}

extension WorkFiles {
    /// How somebody else than root and the effective user can change a folder; nil if nobody can.
    ///
    /// A group in which this user is alone, as Debian makes one for each user, is nobody else.
    ///
    /// - Parameter isParent: only the names of the user's own folders in it count. Then a sticky folder like `/tmp` is safe: others can't rename them.
    /// - Throws: `WorkFileError` when the folder can't be looked at.
    package static func foreignAccess(to folder: FilePath, isParent: Bool = false) throws(WorkFileError) -> ForeignAccess? {
        var status = stat()
        guard lstat(folder.string, &status) == 0 else { throw WorkFileError("cannot look at", folder, lastError) }
        guard status.st_uid == 0 || status.st_uid == geteuid() else { return .owner(userName(status.st_uid)) }
        if isParent, status.st_mode & S_ISVTX != 0 { return nil }
        if status.st_mode & S_IWOTH != 0 { return .everybody }
        guard status.st_mode & S_IWGRP != 0 else { return nil }
        // With a list, the group's bits are the mask of all its entries.
        if getxattr(folder.string, "system.posix_acl_access", nil, 0) > 0 { return .list }
        return status.st_gid == 0 || isAlone(in: status.st_gid) ? nil : .group(groupName(status.st_gid))
    }

    /// Whether a folder is there, and nobody else than root and the effective user can change what it holds.
    package static func isOursAlone(_ folder: FilePath) -> Bool {
        do {
            return isFolder(folder) ? try foreignAccess(to: folder) == nil : false
        } catch {
            return false
        }
    }

    /// The same as `foreignAccess` for the folders above a folder, up to the root: whoever can rename one of them can put another in its place.
    ///
    /// - Parameter folder: absolute, with its links resolved.
    /// - Returns: the first such folder from the root on, and how; nil if there is none.
    package static func foreignAccessAbove(_ folder: FilePath) throws(WorkFileError) -> (folder: FilePath, access: ForeignAccess)? {
        var parents: [FilePath] = []
        var path = folder
        while path.removeLastComponent() { parents.append(path) }
        for parent in parents.reversed() {
            if let access = try foreignAccess(to: parent, isParent: true) { return (parent, access) }
        }
        return nil
    }

    /// How somebody else than root and the effective user can change a file, or put another in its place.
    ///
    /// - Parameter folder: a folder above the file. It and what is between the two are looked at; if a link leads elsewhere, everything above the
    ///   file that it leads to.
    /// - Returns: the file or folder that is open to others, and how; nil if there is none.
    package static func foreignAccess(
        toFile path: FilePath, below folder: FilePath
    ) throws(WorkFileError) -> (path: FilePath, access: ForeignAccess)? {
        guard let file = resolved(path), let top = resolved(folder.isEmpty ? "." : folder) else {
            throw WorkFileError("cannot look at", path, .noSuchFileOrDirectory)
        }
        var above: [FilePath] = []
        var parent = file
        while parent.removeLastComponent() {
            above.append(parent)
            if parent == top { break }
        }
        for parent in above.reversed() {
            if let access = try foreignAccess(to: parent, isParent: true) { return (parent, access) }
        }
        return try foreignAccess(to: file).map { (file, $0) }
    }

    /// Whether the effective user is the only member of a group, by its list of members and by the users whose first group it is.
    private static func isAlone(in group: gid_t) -> Bool {
        guard let entry = getgrgid(group) else { return false }
        let own = userName(geteuid())
        var member = entry.pointee.gr_mem
        while let name = member?.pointee {
            if String(cString: name) != own { return false }
            member = member?.successor()
        }
        setpwent()
        defer { endpwent() }
        while let user = getpwent() {
            if user.pointee.pw_gid == group, user.pointee.pw_uid != geteuid() { return false }
        }
        return true
    }

    /// The user's name, or its number if it has none.
    private static func userName(_ user: uid_t) -> String {
        getpwuid(user).map { String(cString: $0.pointee.pw_name) } ?? String(user)
    }

    private static func groupName(_ group: gid_t) -> String {
        getgrgid(group).map { String(cString: $0.pointee.gr_name) } ?? String(group)
    }
}
