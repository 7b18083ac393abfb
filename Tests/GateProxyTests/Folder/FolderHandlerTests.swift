import GateAccess
import GateCore
import GateHTTP
import GateIdentity
import GateTesting
import Glibc
import NIOHTTP1
import Testing

@testable import GateProxy

@Suite("Files of a folder")
struct FolderHandlerTests {
    @Test("A file is answered with its type, validators and length")
    func file() async throws {
        let site = FolderSite()
        let answer = try await site.get("/a.txt")
        #expect(answer.status == 200 && answer.text == "0123456789")
        #expect(answer["content-type"] == "text/plain; charset=utf-8" && answer["accept-ranges"] == "bytes")
        #expect(answer["etag"]?.hasPrefix("\"") == true && answer["last-modified"]?.hasSuffix(" GMT") == true)
        #expect(answer["cache-control"] == nil && answer["vary"] == "Accept-Encoding")
    }

    @Test(
        "Paths lead to files and folders, to the index of a folder, and nowhere else",
        arguments: [
            ("/", 200, "<p>start</p>"), ("/index.html", 200, "<p>start</p>"), ("/sub/", 200, "<p>sub</p>"),
            ("/a.txt?v=1", 200, "0123456789"),
            ("/%61.txt", 200, "0123456789"), ("/with%20space%20%C3%A9.txt", 200, "named"), ("/inner.txt", 200, "0123456789"),
            ("/.well-known/security.txt", 200, "contact"), ("/semi;colon", 200, "plain"),
            ("/none", 404, nil), ("/a.txt/", 404, nil), ("/a.txt/b", 404, nil), ("/empty/", 404, nil), ("/sub//index.html", 404, nil),
            ("//a.txt", 404, nil), ("/./a.txt", 404, nil), ("/../secret.txt", 404, nil), ("/%2e%2e/secret.txt", 404, nil),
            ("/sub/..%2f..%2fsecret.txt", 404, nil), ("/sub/%2e%2e/a.txt", 404, nil), ("/..%5csecret.txt", 404, nil),
            ("/..\\secret.txt", 404, nil),
            ("/outer.txt", 404, nil), ("/up/secret.txt", 404, nil), ("/.env", 404, nil), ("/sub/.git/config", 404, nil),
            ("/%2eenv", 404, nil), ("/sub/.well-known/x", 404, nil), ("/fifo", 404, nil), ("/a.txt%00", 404, nil), ("/%ff", 404, nil),
            ("/%zz", 404, nil), ("/%4", 404, nil), ("/a%0a", 404, nil),
        ] as [(String, UInt, String?)])
    func paths(_ target: String, _ status: UInt, _ text: String?) async throws {
        let site = FolderSite()
        site.folder.write("root/with space \u{e9}.txt", "named")
        site.folder.write("root/semi;colon", "plain")
        site.folder.write("root/.env", "PASSWORD=1")
        for name in ["root/sub/.git", "root/.well-known", "root/sub/.well-known", "root/empty"] { mkdir(site.folder.file(name), 0o700) }
        site.folder.write("root/sub/.git/config", "x")
        site.folder.write("root/sub/.well-known/x", "x")
        site.folder.write("root/.well-known/security.txt", "contact")
        mkfifo(site.folder.file("root/fifo"), 0o600)
        site.link("inner.txt", to: "a.txt")
        site.link("outer.txt", to: "../secret.txt")
        site.link("up", to: "..")
        // The second time from memory.
        for _ in 0..<2 {
            let answer = try await site.get(target)
            #expect(answer.status == status)
            if let text { #expect(answer.text == text) } else { #expect(answer.text.contains(#""code":"not-found""#)) }
        }
    }

    @Test("A path of 8 KiB is nobody's")
    func long() async throws {
        #expect(try await FolderSite().get("/" + String(repeating: "a", count: 8000)).status == 404)
        #expect(try await FolderSite().get("/" + String(repeating: "a/", count: 4000)).status == 404)
    }

    @Test(
        "A folder without its slash leads to the one with it",
        arguments: [("/sub", "/sub/"), ("/sub?a=b&c", "/sub/?a=b&c"), ("/s%75b", "/s%75b/")])
    func slash(_ target: String, _ location: String) async throws {
        let answer = try await FolderSite().get(target)
        #expect(answer.status == 308 && answer["location"] == location)
    }

    @Test("What was found on the disk is then found in memory, on the event loop")
    func inPlace() async throws {
        let site = FolderSite()
        _ = try await site.get("/a.txt")
        #expect(site.answersInPlace("/a.txt"))
        #expect(!site.answersInPlace("/never-looked-for"))
    }

    @Test("HEAD is like GET without ranges; other methods are refused", arguments: [HTTPMethod.POST, .PUT, .DELETE, .OPTIONS])
    func methods(_ method: HTTPMethod) async throws {
        let site = FolderSite()
        let head = try await site.get("/a.txt", ["range": "bytes=0-1"], method: .HEAD)
        #expect(head.status == 200 && head["content-range"] == nil && head["etag"] != nil)
        let refused = try await site.get("/a.txt", method: method)
        #expect(refused.status == 405 && refused["allow"] == "GET, HEAD")
    }

    @Test("A single-page application answers for every path without a file, and not for what may not be asked for")
    func fallback() async throws {
        let site = FolderSite { $0.fallback = "/index.html" }
        for path in ["/orders/17", "/sub/none", "/a.txt/"] {
            let answer = try await site.get(path)
            #expect(answer.status == 200 && answer.text == "<p>start</p>" && answer["content-type"] == "text/html; charset=utf-8")
        }
        #expect(try await site.get("/a.txt").text == "0123456789")
        for path in ["/.env", "/../secret.txt", "/%ff"] { #expect(try await site.get(path).status == 404) }
        #expect(try await FolderSite { $0.fallback = "/none.html" }.get("/x").status == 404)
        #expect(try await FolderSite { $0.fallback = "/sub" }.get("/x").status == 404)
    }

    @Test(
        "A prefix is taken off the path", arguments: [("/app/a.txt", 200), ("/app/", 200), ("/app", 308), ("/apple", 404), ("/a.txt", 404)])
    func prefix(_ target: String, _ status: UInt) async throws {
        let answer = try await FolderSite { $0.strippedPrefix = "/app" }.get(target)
        #expect(answer.status == status)
        if status == 308 { #expect(answer["location"] == "/app/") }
    }

    @Test("Cache-Control and the names of the index are the operator's")
    func rules() async throws {
        let site = FolderSite {
            $0.cacheControl = "max-age=60"
            $0.index = ["start.html", "a.txt"]
        }
        #expect(try await site.get("/").text == "0123456789")
        #expect(try await site.get("/")["cache-control"] == "max-age=60")
        site.folder.write("root/start.html", "first")
        #expect(try await site.get("/").text == "first")
    }

    @Test("What is given to somebody who is signed in is kept by no shared cache, unless the operator says otherwise")
    func personal() async throws {
        let somebody = AssertedIdentity.somebody
        #expect(try await FolderSite().get("/a.txt", by: somebody)["cache-control"] == "private, no-cache")
        let site = FolderSite { $0.cacheControl = "max-age=60" }
        #expect(try await site.get("/a.txt", by: somebody)["cache-control"] == "max-age=60")
    }

    @Test("A browser gets a page where there is no file")
    func page() async throws {
        let answer = try await FolderSite().get("/none", ["sec-fetch-mode": "navigate"])
        #expect(answer.status == 404 && answer["content-type"] == "text/html; charset=utf-8")
    }

    @Test("A folder that is missing is said once in the log, and answered with 503 until it is there")
    func missingRoot() async throws {
        let site = FolderSite()
        rename(site.folder.file("root"), site.folder.file("gone"))
        for _ in 0..<3 {
            let answer = try await site.get("/a.txt")
            #expect(answer.status == 503 && answer["retry-after"] != nil && !answer.text.contains("gatehouse-test"))
        }
        #expect(site.log.lines.count { $0.hasPrefix("error The folder cannot be opened") } == 1)
        rename(site.folder.file("gone"), site.folder.file("root"))
        #expect(try await site.get("/a.txt").status == 200)
    }

    @Test("A release is swapped by a link without a restart")
    func swapped() async throws {
        let site = FolderSite()
        let before = try await site.get("/a.txt")
        rename(site.folder.file("root"), site.folder.file("old"))
        mkdir(site.folder.file("new"), 0o700)
        site.folder.write("new/a.txt", "9876543210")
        symlink("new", site.folder.file("root"))
        let after = try await site.get("/a.txt", ["if-none-match": before["etag"]!])
        #expect(after.status == 200 && after.text == "9876543210")
    }
}
