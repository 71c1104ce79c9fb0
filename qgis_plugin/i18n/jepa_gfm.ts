<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" sourcelanguage="en">
<context>
    <name>JepaGfm</name>
    <message>
        <source>{name} from a file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Instead of the choice above.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The expression {text} chooses {which} of the labels; mend it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>none</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The expression {text} cannot be read ({reason}); mend it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The expression {text} cannot be evaluated ({reason}); mend it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The labels {name} cannot be handed to the worker ({reason}); save the layer as a GeoPackage.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the Sentinel-2 files at 10, 20 and 60 m of one place and run: every 20 m cell becomes a vector, and the layer shows its three strongest bands as colours.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the same files, or an embedding of them, a layer of polygons as labels and its class field, and run: the map opens with the classes' names and colours, and the report with the scores.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Embedding</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Land cover</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels from a raster</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A raster whose values are classes, instead of polygons or points.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Check on the labels that the expression leaves out</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Needs an expression for the labels.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{names} and {count} more</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stopped; nothing was written.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As a command:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As Python:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The labels were copied to {files}, which QGIS removes; to repeat the run, save the layer.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Outputs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Example</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The layer {name} is not a raster file ({kind}); export it as a GeoTIFF and choose that.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The CRS of the grid is not known to QGIS; choose another one, in metres.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels are missing; choose a layer of polygons or points, or a fitted classifier from a file.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There are labels left out to check on only where an expression chooses some; give one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>not there</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Report…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Python of the environment that JEPA-GFM is installed in</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>none found</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The python program, or the folder of its environment. Empty: the one found.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Automatic: the GPU if there is one</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Processor (CPU)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Graphics card (NVIDIA, CUDA)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where the network runs, unless a run says otherwise.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Python environment</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Device</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chosen here: {python}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Found: set up here, or written by `gfm doctor --for-qgis` or `make demo`.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>None found: press Set up, choose one here, or run `gfm doctor --for-qgis` in the environment.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the Python of an environment.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checking; the first time takes up to a minute.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Check</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not everything works: see the lines with a cross.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Everything works.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Set up an environment</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Set up</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>found by itself</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Python 3.11 or newer that the environment is made with. Empty: the best that is found.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>from the internet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>For a computer without internet: a folder of wheels, made by `make wheelhouse`.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Python to make it with</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Wheel folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Needs {cpu} GB on the disk ({gpu} GB with an NVIDIA graphics card); {free} GB are free at {folder}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The last set-up was interrupted; press Set up, and it is made anew.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Setting up; QGIS can be used meanwhile, and this window may be closed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancelling.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove the environment in {folder}? Your files, settings and results stay.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Removing.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The environment is removed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Report</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{path} could not be written ({reason}); choose another folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Written to {path}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Setting up JEPA-GFM</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancelled; what was begun is removed again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Turn rasters of one place into an embedding: a raster with a vector for every ground cell.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use it once for a place, then ask it as often as you like: maps from an embedding take seconds. Every raster is read at its own resolution and in its own CRS; nothing has to be resampled first. An embedding is an ordinary raster of 8-bit bands with a scale and an offset; its tags tell how it was made.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rasters of one place, each as it is: any resolution, CRS, bands and dates (FILE:as=SENSOR, FILE:crs=EPSG:N).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rasters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rasters of one place, each as it is: any resolution, CRS, bands and dates.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where the result is written.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Result</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Side of a cell in metres; default: 2 pixels of the finest raster.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cell size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Model: a name, a checkpoint file, or a training run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The network that makes the embedding; a file is a checkpoint from gfm train.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ground to cover: X0,Y0,X1,Y1 in the grid's CRS, a layer's file, 'union' or 'intersection' of the rasters; default: that of the finest raster.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Extent</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ground to cover; default: that of the finest raster.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CRS of the grid, in metres; default: that of the finest raster, else its UTM zone.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CRS of the grid</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where the network runs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Number format of the network; auto: bf16 where the chip has units for it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Precision</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Worker threads; default: one a core.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Threads</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Windows in one call of the network on a GPU.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Batch on a GPU</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Replace outputs that exist.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Overwrite</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Feature groups to store.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Feature groups</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Storage: 8 bits with a scale, or float32.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Storage</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Lay the file out for reading over the web (Cloud Optimized GeoTIFF).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cloud Optimized GeoTIFF</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Write a STAC item beside the file, so that catalogues find it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>STAC item</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dask scheduler whose workers embed (tcp://HOST:8786); they must see the same files and the output's folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dask scheduler</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Repeat the run that made this embedding (cell size, model, groups, normalisation) on other rasters.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Like embedding</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Embed layers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>embedding</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>features</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>deep learning</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>JEPA</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Sentinel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>multi-resolution</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>fusion</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The result.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The command that repeats the run in a shell.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As command</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The lines that repeat the run in Python.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As Python</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A picture of the embedding: its three main components.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rows of cells.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rows</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Columns of cells.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Columns</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Side of a cell in metres.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cell size (m)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bands of the embedding.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bands</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Make a land-cover map from a few labels, with a confidence layer, honest scores and a report.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give the rasters of one place, or one embedding of it, and polygons or points with a field that holds the class. The map lies on the pixels of the finest raster (from an embedding: on its cells). The score comes from ground that the classifier did not see, beside that of the raw bands alone. A few polygons a class, spread over the place, are worth more than many in one corner.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Beside the map lie the probability of each pixel's class, its candidates (one: sure, two, or more: don't know) with a mask of where the labels say nothing, and points at labels that look like another class.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels: polygons, points or a categorical raster.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Polygons or points with a field that holds the class; any CRS.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layer in the labels file.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Field of the labels that holds the class (text or number).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Class field</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use only the labels for which this SQL condition holds, such as "split = 'train'".</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only labels where</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use only the labels for which this expression is true.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels to score the map on: a file, or 'rest' for the rows that the condition leaves out.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels to check on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels that the classifier does not see: the finished map is scored on them.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Feature groups, a head each; auto: all that the input gives.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Classifier: auto (linear discriminant), lda, logistic, forest, knn, or a file from --save-head.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Classifier</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>auto is a linear discriminant; a file holds one that was fitted and kept before.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Average probabilities over near pixels that look alike; auto: along the image.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smoothing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Share of ground whose true class is to be among a pixel's candidates.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Coverage</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Store the fitted classifier in this file.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fitted classifier</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pixel size of the map in metres; default: the finest raster's own pixels.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pixel size of the map</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder for the report (HTML and JSON); default: MAP_report beside the map.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Classify land cover</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>land cover</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>land use</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>classification</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>supervised</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>map</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>confidence</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>training samples</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Probability of each pixel's class in %.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Confidence</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How sure each pixel is: one candidate, two, or don't know; the candidates; where labels say nothing.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Candidates</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Labels that look like another class, the worst first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Suspicious labels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The report: scores, areas, settings.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A picture of the legend.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Legend</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Number of classes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Classes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Mean F1 of the classes on spatial folds, 0 to 1.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Macro-F1 on folds</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The same score of the raw bands alone.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Macro-F1 of raw bands</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Mean F1 of the classes on the labels to check on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Macro-F1 on check labels</source>
        <translation type="unfinished"></translation>
    </message>
</context>
</TS>
