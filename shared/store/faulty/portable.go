package faulty

import (
	"context"
	"errors"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"
)

// portable is a bucket as a driver: gocloud does not let go of the driver that is below it.
type portable struct{ in *blob.Bucket }

func (p portable) ErrorCode(err error) gcerrors.ErrorCode { return gcerrors.Code(err) }
func (p portable) As(i any) bool                          { return p.in.As(i) }
func (p portable) ErrorAs(err error, i any) bool          { return p.in.ErrorAs(err, i) }
func (p portable) Close() error                           { return p.in.Close() }

func (p portable) Attributes(ctx context.Context, key string) (*driver.Attributes, error) {
	a, err := p.in.Attributes(ctx, key)
	if err != nil {
		return nil, err
	}
	return &driver.Attributes{
		CacheControl: a.CacheControl, ContentDisposition: a.ContentDisposition, ContentEncoding: a.ContentEncoding,
		ContentLanguage: a.ContentLanguage, ContentType: a.ContentType, Metadata: a.Metadata, CreateTime: a.CreateTime,
		ModTime: a.ModTime, Size: a.Size, MD5: a.MD5, ETag: a.ETag, AsFunc: a.As,
	}, nil
}

func (p portable) ListPaged(ctx context.Context, o *driver.ListOptions) (*driver.ListPage, error) {
	token, size := o.PageToken, o.PageSize
	if len(token) == 0 {
		token = blob.FirstPageToken
	}
	if size == 0 {
		size = 1000
	}
	objects, next, err := p.in.ListPage(ctx, token, size, &blob.ListOptions{
		Prefix: o.Prefix, Delimiter: o.Delimiter, BeforeList: o.BeforeList,
	})
	if err != nil {
		return nil, err
	}
	page := &driver.ListPage{NextPageToken: next}
	for _, x := range objects {
		page.Objects = append(page.Objects, &driver.ListObject{
			Key: x.Key, ModTime: x.ModTime, Size: x.Size, MD5: x.MD5, IsDir: x.IsDir, AsFunc: x.As,
		})
	}
	return page, nil
}

type reader struct{ *blob.Reader }

func (r reader) Attributes() *driver.ReaderAttributes {
	return &driver.ReaderAttributes{ContentType: r.ContentType(), ModTime: r.ModTime(), Size: r.Size()}
}

func (p portable) NewRangeReader(ctx context.Context, key string, offset, length int64, o *driver.ReaderOptions) (driver.Reader, error) {
	r, err := p.in.NewRangeReader(ctx, key, offset, length, &blob.ReaderOptions{BeforeRead: o.BeforeRead})
	if err != nil {
		return nil, err
	}
	return reader{r}, nil
}

func (p portable) NewTypedWriter(ctx context.Context, key, contentType string, o *driver.WriterOptions) (driver.Writer, error) {
	return p.in.NewWriter(ctx, key, &blob.WriterOptions{
		BufferSize: o.BufferSize, MaxConcurrency: o.MaxConcurrency, CacheControl: o.CacheControl,
		ContentDisposition: o.ContentDisposition, ContentEncoding: o.ContentEncoding, ContentLanguage: o.ContentLanguage,
		ContentType: contentType, DisableContentTypeDetection: true, Metadata: o.Metadata, BeforeWrite: o.BeforeWrite,
		IfNotExist: o.IfNotExist,
	})
}

func (p portable) Copy(ctx context.Context, dst, src string, o *driver.CopyOptions) error {
	return p.in.Copy(ctx, dst, src, &blob.CopyOptions{BeforeCopy: o.BeforeCopy})
}

func (p portable) Delete(ctx context.Context, key string, o *driver.DeleteOptions) error {
	return p.in.DeleteWithOptions(ctx, key, &blob.DeleteOptions{BeforeDelete: o.BeforeDelete})
}

func (p portable) SignedURL(ctx context.Context, key string, o *driver.SignedURLOptions) (string, error) {
	s, err := p.in.SignedURL(ctx, key, &blob.SignedURLOptions{
		Expiry: o.Expiry, Method: o.Method, ContentType: o.ContentType,
		EnforceAbsentContentType: o.EnforceAbsentContentType, BeforeSign: o.BeforeSign,
	})
	return s, errors.Join(err)
}
