import GateCore
import GateHTTP

/// Finds the file for a path.
struct FolderSearch: Sendable {
    enum Finding: Sendable {
        case file(FoundFile)
        /// There is a folder, and the path lacks its slash.
        case folder
        case nothing
    }

    /// The folder itself cannot be opened.
    struct RootFailure: Error {
        let failure: FileFailure
    }

    private let tree: FolderTree
    private let rules: FolderRules

    init(_ rules: FolderRules) {
        self.rules = rules
        tree = FolderTree(rules.root)
    }

    /// - Parameter codings: those that the client takes, the best liked first.
    /// - Throws: ``RootFailure``; ``FileFailure`` where what is wrong is not the path: too many open files, a broken disk, or a lack of
    ///   patience (see ``FolderTree/open(_:_:)``).
    func find(_ path: FolderPath, codings: [FoundFile.Coding], _ patience: FolderTree.Patience) throws -> Finding {
        let root: OpenFile
        do { root = try tree.openRoot(patience) } catch {
            if patience == .cached { throw error }
            throw RootFailure(failure: error)
        }
        if path.meansFolder {
            let folder = path.relative.isEmpty ? "" : path.relative + "/"
            for index in rules.index {
                if case .file(let found) = try look(at: folder + index, in: root, codings, patience) { return .file(found) }
            }
        } else {
            let finding = try look(at: path.relative, in: root, codings, patience)
            if case .nothing = finding {} else { return finding }
        }
        guard let fallback = rules.fallback else { return .nothing }
        let finding = try look(at: String(fallback.drop { $0 == "/" }), in: root, codings, patience)
        if case .folder = finding { return .nothing }
        return finding
    }

    private func look(
        at path: String, in root: OpenFile, _ codings: [FoundFile.Coding], _ patience: FolderTree.Patience
    ) throws(FileFailure) -> Finding {
        guard let (file, status) = try open(path, in: root, patience) else { return .nothing }
        switch status.kind {
        case .other: return .nothing
        case .folder: return .folder
        case .file: break
        }
        let type = MediaType(ofFile: path)
        if !type.isCompressed {
            for coding in codings {
                guard let (file, status) = try open(path + coding.suffix, in: root, patience), status.kind == .file else { continue }
                return .file(FoundFile(file: file, status: status, type: type, coding: coding))
            }
        }
        return .file(FoundFile(file: file, status: status, type: type, coding: nil))
    }

    /// `nil` where there is nothing that may be read.
    private func open(
        _ path: String, in root: OpenFile, _ patience: FolderTree.Patience
    ) throws(FileFailure) -> (OpenFile, FileStatus)? {
        do throws(FileFailure) {
            let file = try tree.open(path, in: root, patience)
            return (file, try file.status())
        } catch {
            if error.saysNothingThere, !(patience == .cached && error.lacksPatience) { return nil }
            throw error
        }
    }
}
