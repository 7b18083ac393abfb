import GateCore
import GateTesting
import Glibc
import Testing

@Suite("Files beneath a folder")
struct FolderTreeTests {
    private let folder = TemporaryFolder()
    private var tree: FolderTree { FolderTree(folder.file("root")) }

    init() {
        for name in ["root", "root/sub", "root-other"] { mkdir(folder.file(name), 0o700) }
        folder.write("secret", "secret")
        folder.write("root-other/secret", "secret")
        folder.write("root/a", "hello")
        folder.write("root/sub/b", "world")
        symlink("sub/b", folder.file("root/inner"))
        symlink("../secret", folder.file("root/outer"))
        symlink(folder.file("root/a"), folder.file("root/absolute"))
        symlink("..", folder.file("root/up"))
        symlink("loop", folder.file("root/loop"))
        mkfifo(folder.file("root/fifo"), 0o600)
    }

    private func open(_ path: String, _ patience: FolderTree.Patience = .patient) -> Result<OpenFile, FileFailure> {
        do throws(FileFailure) { return .success(try tree.open(path, patience)) } catch { return .failure(error) }
    }

    private func code(_ path: String) -> CInt? {
        if case .failure(let failure) = open(path) { failure.code } else { nil }
    }

    private func text(_ file: OpenFile) throws -> String {
        try String(unsafeUninitializedCapacity: 64) { try file.read(at: 0, into: UnsafeMutableRawBufferPointer($0)) }
    }

    @Test("What lies beneath is opened, through links as well", arguments: [("a", "hello"), ("sub/b", "world"), ("inner", "world")])
    func beneath(_ path: String, _ content: String) throws { #expect(try text(open(path).get()) == content) }

    @Test(
        "Nothing leads out of the folder",
        arguments: ["../secret", "sub/../../secret", "outer", "absolute", "up/secret", "up/root-other/secret", "/etc/passwd"])
    func escapes(_ path: String) { #expect(code(path) == EXDEV) }

    @Test("A link in a circle, and what is not there", arguments: [("loop", ELOOP), ("none", ENOENT), ("a/b", ENOTDIR)])
    func missing(_ path: String, _ expected: CInt) { #expect(code(path) == expected) }

    @Test("A FIFO is not waited for, and told from a file")
    func kinds() throws {
        #expect(try open("fifo").get().status().kind == .other)
        #expect(try open("sub").get().status().kind == .folder)
        #expect(try open("").get().status().kind == .folder)
        let status = try open("a").get().status()
        #expect(status.kind == .file && status.size == 5)
    }

    @Test("A folder that is put in the place of another is seen at once")
    func replaced() throws {
        let root = FolderTree(folder.file("current"))
        symlink("root", folder.file("current"))
        #expect(try text(root.open("a", .patient)) == "hello")
        unlink(folder.file("current"))
        mkdir(folder.file("current"), 0o700)
        folder.write("current/a", "new")
        #expect(try text(root.open("a", .patient)) == "new")
    }

    @Test("What was opened a moment ago is opened without the disk; what nobody looked for is not told of")
    func cached() throws {
        _ = try open("sub/b").get()
        #expect(try text(open("sub/b", .cached).get()) == "world")
        #expect(open("never-looked-for", .cached).failure?.code == EAGAIN)
    }

    @Test("Descriptors are closed with their files")
    func closed() throws {
        let number = try open("a").get().descriptor
        // Others of this process may have got the number meanwhile, but not this file.
        var status = stat()
        var expected = stat()
        stat(folder.file("root/a"), &expected)
        #expect(fstat(number, &status) != 0 || status.st_ino != expected.st_ino)
    }
}

@Suite("Open files")
struct OpenFileTests {
    private let folder = TemporaryFolder()

    private func open(_ content: String) throws -> OpenFile {
        folder.write("a", content)
        return try FolderTree(folder.path).open("a", .patient)
    }

    @Test("Reading goes from an offset to the end, and no further", arguments: [(0, 3, "abc"), (2, 9, "cdef"), (6, 4, ""), (60, 4, "")])
    func read(_ offset: Int, _ count: Int, _ expected: String) throws {
        let file = try open("abcdef")
        let text = try String(unsafeUninitializedCapacity: 16) { buffer in
            try file.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
        }
        #expect(text == expected)
    }

    @Test("What is in memory is told from what is on the disk")
    func cached() throws {
        let size = 256 << 10
        let file = try open(String(repeating: "x", count: size))
        // A file system that cannot tell, such as tmpfs, says of nothing that it is in memory.
        guard file.cachedCount(at: 0, upTo: size, stride: 64 << 10) > 0 else { return }
        #expect(file.cachedCount(at: 0, upTo: size, stride: 64 << 10) == size)
        #expect(file.cachedCount(at: 1000, upTo: 10, stride: 64 << 10) == 10)
        #expect(file.cachedCount(at: size - 5, upTo: 10, stride: 64 << 10) == 0)
        #expect(fsync(file.descriptor) == 0)
        #expect(posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0)
        #expect(file.cachedCount(at: 0, upTo: size, stride: 64 << 10) == 0)
        var byte: UInt8 = 0
        #expect(withUnsafeMutableBytes(of: &byte) { file.readCached(at: 0, into: $0) } == nil)
        #expect(try withUnsafeMutableBytes(of: &byte) { try file.read(at: 0, into: $0) } == 1)
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
