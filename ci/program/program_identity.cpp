#include "ci/program/program_identity.hpp"

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "fmt/format.h"

namespace assay::program {
namespace {

namespace fs = std::filesystem;

class Digest {
 public:
  void take(const void* data, std::size_t bytes) {
    const auto* at = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < bytes; ++i) hash_ = (hash_ ^ at[i]) * 1099511628211ULL;
  }
  void take(std::string_view text) {
    take(text.data(), text.size());
    take("", 1);
  }
  std::string text() const { return fmt::format("{:016x}", hash_); }

 private:
  std::uint64_t hash_ = 14695981039346656037ULL;  // FNV-1a
};

/// A file of the machine's own class, looked at with every offset checked.
class ElfFile {
 public:
  explicit ElfFile(const std::string& bytes) : bytes_(bytes) {
    if (!read(0, header_) || std::memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0 ||
        header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_shentsize != sizeof(Elf64_Shdr))
      return;
    for (std::size_t i = 0; i < header_.e_shnum; ++i) {
      Elf64_Shdr section{};
      if (!read(header_.e_shoff + i * sizeof section, section)) return;
      sections_.push_back(section);
    }
    good_ = header_.e_shstrndx < sections_.size();
  }

  bool good() const { return good_; }

  std::string digest() const {
    Digest digest;
    for (const Elf64_Shdr& section : sections_) {
      const bool loaded = (section.sh_flags & SHF_ALLOC) != 0 && section.sh_type != SHT_NOTE;
      if (loaded) {
        digest.take(name_in(header_.e_shstrndx, section.sh_name));
        digest.take(&section.sh_size, sizeof section.sh_size);
        if (section.sh_type != SHT_NOBITS) digest.take(content(section));
      }
      // Of an object: what its code refers to stands beside it, not in it.
      if (section.sh_type == SHT_RELA && header_.e_type == ET_REL && section.sh_info < sections_.size() &&
          (sections_[section.sh_info].sh_flags & SHF_ALLOC) != 0)
        take_relocations(section, digest);
    }
    return digest.text();
  }

 private:
  template <typename T>
  bool read(std::uint64_t offset, T& value) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof value) return false;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return true;
  }

  std::string_view content(const Elf64_Shdr& section) const {
    if (section.sh_offset > bytes_.size() || bytes_.size() - section.sh_offset < section.sh_size) return {};
    return std::string_view(bytes_).substr(section.sh_offset, section.sh_size);
  }

  std::string name_in(std::size_t table, std::uint64_t offset) const {
    if (table >= sections_.size()) return {};
    const std::string_view names = content(sections_[table]);
    if (offset >= names.size()) return {};
    return std::string(names.substr(offset, names.find('\0', offset) - offset));
  }

  void take_relocations(const Elf64_Shdr& section, Digest& digest) const {
    if (section.sh_link >= sections_.size()) return;
    const Elf64_Shdr& symbols = sections_[section.sh_link];
    for (std::uint64_t at = 0; at + sizeof(Elf64_Rela) <= section.sh_size; at += sizeof(Elf64_Rela)) {
      Elf64_Rela entry{};
      Elf64_Sym symbol{};
      if (!read(section.sh_offset + at, entry) ||
          !read(symbols.sh_offset + ELF64_R_SYM(entry.r_info) * sizeof symbol, symbol))
        return;
      const std::uint64_t type = ELF64_R_TYPE(entry.r_info);
      digest.take(&entry.r_offset, sizeof entry.r_offset);
      digest.take(&type, sizeof type);
      digest.take(&entry.r_addend, sizeof entry.r_addend);
      if (ELF64_ST_TYPE(symbol.st_info) == STT_SECTION && symbol.st_shndx < sections_.size())
        digest.take(name_in(header_.e_shstrndx, sections_[symbol.st_shndx].sh_name));
      else
        digest.take(name_in(symbols.sh_link, symbol.st_name));
    }
  }

  const std::string& bytes_;
  Elf64_Ehdr header_{};
  std::vector<Elf64_Shdr> sections_;
  bool good_ = false;
};

/// Digests of the objects of what is timed, by path below the build's object folders.
std::map<std::string, std::string> timed_objects(const std::string& program) {
  std::map<std::string, std::string> digests;
  std::error_code problem;
  const fs::path folder = fs::canonical(program, problem).parent_path();
  for (const char* target : {"assay_kernels.dir", "assay_engine.dir", "assay_benchmarks.dir"}) {
    const fs::path objects = folder / "CMakeFiles" / target;
    for (fs::recursive_directory_iterator entry(objects, problem), end; !problem && entry != end;
         entry.increment(problem)) {
      const std::string name = entry->path().lexically_relative(folder / "CMakeFiles").string();
      // The peers know where the sources lie; they are other programs' drivers.
      if (entry->path().extension() == ".o" && name.find("/peers/") == std::string::npos)
        digests[name] = code_digest(entry->path().string());
    }
  }
  return digests;
}

}  // namespace

std::string code_digest(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  std::ostringstream text;
  text << file.rdbuf();
  const std::string bytes = text.str();
  if (const ElfFile elf(bytes); elf.good()) return elf.digest();
  Digest digest;
  digest.take(bytes);
  return digest.text();
}

CodeIdentity compare_code(const std::string& base, const std::string& candidate) {
  const std::string digest = code_digest(base);
  if (!digest.empty() && digest == code_digest(candidate)) return {true, "the programs are equal"};
  const auto of_base = timed_objects(base), of_candidate = timed_objects(candidate);
  if (of_base.empty() || of_candidate.empty()) return {false, "the programs differ"};
  if (of_base == of_candidate)
    return {true,
            fmt::format("the programs differ, all {} objects of what is timed are equal", of_base.size())};
  return {false, "objects of what is timed differ"};
}

}  // namespace assay::program
